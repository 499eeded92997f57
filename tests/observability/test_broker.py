from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from uuid import uuid4

import pytest
from celery import current_app
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError

from observability import broker, tasks

# Who publishes asks the broker's breaker, which is a row.
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.CELERY_BROKER_URL, settings.BROKER_DIR = "filesystem://", tmp_path  # type: ignore[attr-defined]
    monkeypatch.setattr(broker, "_counted_at", float("-inf"))
    broker.create_folders()
    return tmp_path / "queue"


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder.parent / "control"),
    }
    with Connection("filesystem://", transport_options=options) as made:
        yield made


def test_create_folders_makes_them_for_their_owner_alone(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    broker.create_folders()


def test_create_folders_clears_what_a_killed_process_left_and_nothing_fresh(folder: Path) -> None:
    old, fresh, message = folder / ".old.taken", folder / ".fresh.taken", folder / "1_a.claimwright.msg"
    for file in (old, fresh, message):
        file.write_text("x")
    os.utime(old, (time.time() - 3600,) * 2)
    broker.create_folders()
    assert sorted(file.name for file in folder.iterdir()) == [".fresh.taken", "1_a.claimwright.msg"]


def test_filesystem_transport_is_ours_and_polls_from_the_event_loop(connection: Connection) -> None:
    assert isinstance(connection.transport, broker.Transport)
    assert connection.transport.implements.asynchronous


def test_messages_come_out_in_order_and_once(connection: Connection) -> None:
    queue = connection.SimpleQueue("claimwright")
    for number in range(20):
        queue.put({"number": number})
    seen = [queue.get(timeout=5) for _ in range(20)]
    assert [message.payload["number"] for message in seen] == list(range(20))
    assert queue.qsize() == 0


def test_a_folder_that_is_away_is_waited_for_and_raises_nothing_in_the_event_loop(
    connection: Connection, folder: Path
) -> None:
    """What is raised there is written with its traceback, twenty times a second."""
    polls: list[Callable[[], None]] = []
    loop = SimpleNamespace(call_repeatedly=lambda _seconds, poll: polls.append(poll))
    connection.transport.register_with_event_loop(connection, loop)
    got: list[object] = []
    name = uuid4().hex  # kombu remembers bindings for the whole process
    queue = Queue(name, Exchange(name), routing_key=name)
    with connection.Consumer([queue], callbacks=[lambda body, _message: got.append(body)], no_ack=True):
        connection.Producer().publish({"number": 1}, exchange=queue.exchange, routing_key=name, declare=[queue])
        kept = folder.rename(folder.with_name("kept"))
        polls[0]()
        assert got == []
        kept.rename(folder)
        polls[0]()
    assert got == [{"number": 1}]


def test_messages_are_never_seen_half_written(folder: Path) -> None:
    """A reader that takes while a writer writes gets whole messages only."""
    channel = broker.Channel.__new__(broker.Channel)
    channel.data_folder_in = channel.data_folder_out = str(folder)
    large, count = {"body": "x" * 200_000}, 60
    seen: list[object] = []

    def write() -> None:
        for _ in range(count):
            channel._put("claimwright", large)

    writer = threading.Thread(target=write)
    writer.start()
    while len(seen) < count:
        try:
            seen.append(channel._get("claimwright"))
        except Empty:
            assert writer.is_alive() or any(folder.iterdir())
    writer.join()
    assert all(message == large for message in seen)


def test_publish_job_stops_when_the_folder_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(tasks.run_job_task, "apply_async", lambda **options: sent.append(options))
    assert tasks.publish_job(uuid4())
    for number in range(broker._MOST_WAITING_MESSAGES):
        (folder / f"{number}_a.claimwright.msg").touch()
    monkeypatch.setattr(broker, "_counted_at", float("-inf"))
    assert not tasks.publish_job(uuid4())
    assert broker.room_for_messages() == 0
    assert len(sent) == 1


def test_publish_job_does_not_count_the_folder_for_each_of_many_messages(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def look() -> int:
        looks.append(1)
        return 0

    monkeypatch.setattr(broker, "_messages_on_disk", look)
    monkeypatch.setattr(broker, "_COUNT_SECONDS", 3600.0)
    monkeypatch.setattr(tasks.run_job_task, "apply_async", lambda **_options: None)
    published = [tasks.publish_job(uuid4()) for _ in range(broker._MOST_WAITING_MESSAGES + 10)]
    assert published.count(False) == 10
    assert len(looks) == 1


def test_publish_job_bears_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_options: object) -> None:
        raise OperationalError("[Errno 111] Connection refused")

    monkeypatch.setattr(tasks.run_job_task, "apply_async", away)
    assert tasks.publish_job(uuid4()) is False


def test_publish_job_reaches_our_broker_from_every_thread() -> None:
    """Celery's "current application" holds for one thread; a request thread would use a default one (amqp)."""
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(current_app.main))
    thread.start()
    thread.join()
    assert seen == ["claimwright"]


def test_broker_problem_tells_a_folder_that_is_not_there(folder: Path) -> None:
    assert broker.broker_problem() == ""
    folder.rmdir()
    assert broker.broker_problem() == "folder_not_writable"
    assert broker.room_for_messages() == broker._MOST_WAITING_MESSAGES


def test_the_first_to_publish_finds_the_folders_made(settings: object, tmp_path: Path) -> None:
    home = tmp_path / "broker"
    settings.CELERY_BROKER_URL, settings.BROKER_DIR = "filesystem://", home  # type: ignore[attr-defined]
    options = {
        "data_folder_in": str(home / "queue"),
        "data_folder_out": str(home / "queue"),
        "control_folder": str(home / "control"),
    }
    with Connection("filesystem://", transport_options=options) as connection:
        queue = connection.SimpleQueue("first")  # kombu remembers bindings by name for the whole process
        queue.put({"number": 1})
        assert queue.get(timeout=5).payload == {"number": 1}
