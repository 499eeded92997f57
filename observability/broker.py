"""The broker as this floor sees it: how full it is, whether it answers, and a sound filesystem transport.

kombu's filesystem transport writes a message in place while a reader may already move and read it; the reader then
gets half a message and its worker dies. Ours writes beside and renames, takes by one rename, and polls from Celery's
event loop.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from amqp.exceptions import ChannelError
from celery import current_app
from django.conf import settings
from kombu.exceptions import KombuError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)

# A worker that keeps up finds its next message here; one that does not needs no more of them. At 406 messages a second
# (measured over the filesystem) the sweeper, once a second, keeps the workers busy.
_MOST_WAITING_MESSAGES = 500
# The folder is counted at most this often while jobs are written one after the other.
_COUNT_SECONDS = 0.2
_ANSWER_SECONDS = 2
_TORN_AFTER_SECONDS = 60.0
_MOST_PER_POLL = 50


class Channel(filesystem.Channel):
    """Messages appear whole and are taken by exactly one reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        create_folders()  # a command may be the first to publish, before any worker was ever started
        super().__init__(*args, **kwargs)

    def _put(self, queue: str, payload: Any, **_kwargs: Any) -> None:  # type: ignore[override]  # as kombu's own
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        folder = Path(self.data_folder_out)
        beside = folder / f".{name}"
        beside.write_bytes(dumps(payload).encode())
        beside.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        ending = f".{queue}.msg"
        for name in sorted(entry for entry in _entries(folder) if entry.endswith(ending)):
            if name.startswith("."):
                continue
            mine = folder / f".{uuid.uuid4().hex}.taken"
            try:
                (folder / name).rename(mine)
            except FileNotFoundError:
                continue  # another worker was faster
            content = mine.read_bytes()
            mine.unlink()
            message = _read(content)
            if message is not None:
                return message
        raise Empty


def _entries(folder: Path) -> list[str]:
    """Return what the folder holds; nothing while it is away.

    The event loop would write a traceback twenty times a second; what looks at the dependencies tells of it.
    """
    try:
        return os.listdir(folder)  # noqa: PTH208  # fast
    except OSError:
        return []


def _read(content: bytes) -> dict[str, Any] | None:
    """Return the message; None for what is none: the row it was for is woken again, a dead worker would wake nobody."""
    try:
        message = loads(content.decode())
    except ValueError:
        message = None
    if isinstance(message, dict) and "body" in message:
        return message
    log.warning("broker_message_unreadable", size_bytes=len(content))
    return None


class Transport(filesystem.Transport):
    """Polls from Celery's event loop.

    With kombu's own, Celery falls back to a pool whose children share one pipe and one lock: a child that is killed
    while it waits holds that lock for ever, and the worker stops for good (seen within eight kills).
    """

    Channel = Channel
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        loop.call_repeatedly(self.polling_interval, self._take_waiting)

    def _take_waiting(self) -> None:
        """Deliver what waits, as far as the consumer wants more."""
        cycle = self.cycle
        assert cycle is not None  # made with the transport
        for _ in range(_MOST_PER_POLL):
            try:
                cycle.get(self._deliver, timeout=0)
            except Empty:
                return


def install_transport() -> None:
    """Make ``filesystem://`` mean our transport; called where the Celery application is made."""
    TRANSPORT_ALIASES["filesystem"] = f"{Transport.__module__}:{Transport.__qualname__}"


def is_filesystem() -> bool:
    return bool(settings.CELERY_BROKER_URL.startswith("filesystem"))


def create_folders() -> None:
    """Create the folders of the filesystem broker and remove what a killed process left half taken."""
    if not is_filesystem():
        return
    for name in ("queue", "control"):
        folder = Path(settings.BROKER_DIR) / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in (Path(settings.BROKER_DIR) / "queue").glob(".*"):
        _remove_if_old(left)


def _remove_if_old(left: Path) -> None:
    """Remove what no living process can still be writing or reading."""
    try:
        if time.time() - left.stat().st_mtime > _TORN_AFTER_SECONDS:
            left.unlink()
    except FileNotFoundError:
        return


_counted_at = float("-inf")
_counted = 0


def folder_is_full() -> bool:
    """Whether the filesystem broker holds enough wake-ups; other brokers bear any number."""
    global _counted, _counted_at  # a cache of this process
    if not is_filesystem():
        return False
    if time.monotonic() - _counted_at >= _COUNT_SECONDS:
        _counted = _messages_on_disk()
        _counted_at = time.monotonic()
    else:
        _counted += 1  # the one that is about to be written
    return _counted >= _MOST_WAITING_MESSAGES


def room_for_messages() -> int:
    """Return how many messages may be published now; 0 when the broker is full or away."""
    try:
        waiting = _messages_on_disk() if is_filesystem() else _messages_in_queue()
    except broker_errors():
        return 0
    return max(0, _MOST_WAITING_MESSAGES - waiting)


def broker_problem() -> str:
    """Return why the broker cannot be used, in one word, or an empty text."""
    try:
        if not is_filesystem():
            with current_app.connection_for_write(connect_timeout=_ANSWER_SECONDS) as connection:
                connection.ensure_connection(max_retries=0, timeout=_ANSWER_SECONDS)
            return ""
        folder = Path(settings.BROKER_DIR) / "queue"
        return "" if os.access(folder, os.W_OK | os.X_OK) else "folder_not_writable"
    except broker_errors() as error:
        return type(error).__name__


def broker_errors() -> tuple[type[BaseException], ...]:
    """Return what a broker that is away can raise: kombu's own errors and those of the library behind the URL."""
    connection = current_app.connection_for_write()
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)


def _messages_on_disk() -> int:
    folder = Path(settings.BROKER_DIR) / "queue"
    if not folder.is_dir():
        return 0
    return sum(1 for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208  # fast


def _messages_in_queue() -> int:
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    pool: Any = current_app.pool  # the stubs take it for a pool of producers
    with pool.acquire(block=True, timeout=_ANSWER_SECONDS) as connection:
        connection.ensure_connection(max_retries=0, timeout=_ANSWER_SECONDS)
        with connection.channel() as channel:
            try:
                return int(channel.queue_declare(queue=queue, passive=True).message_count)
            except ChannelError:
                return 0  # no worker has declared it yet; an empty Redis list does not exist either
