"""A real web process on a data folder of its own, and a plain HTTP client for it: the ground of the HTTP benchmarks."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import prepare_environment

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """A running gunicorn with one worker process of four threads."""

    port: int
    worker_pid: int

    def call(self, verb: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """Send one request over a connection of its own; raises when the answer is no success."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(verb, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{verb} {path}: {answer.status} {content[:500]!r}")
        return content

    def memory_mb(self, field: str = "VmHWM") -> float:
        """Return a memory figure of the worker process: `VmHWM` is its peak resident size."""
        for line in Path(f"/proc/{self.worker_pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"no {field}")


@contextlib.contextmanager
def ground() -> Iterator[Path]:
    """Make a data folder with a migrated SQLite database and set Django up on it; environment changes stay."""
    with tempfile.TemporaryDirectory(prefix="claimwright-bench-") as folder:
        prepare_environment(folder)
        import django  # noqa: PLC0415  # settings are read from the environment set above

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        yield Path(folder)


def make_key() -> tuple[str, str]:
    """Return (tenant id, API key) of a fresh tenant's reviewer."""
    from django.utils import timezone  # noqa: PLC0415

    from observability.ids import new_id  # noqa: PLC0415
    from tenancy.choices import Role, Scope  # noqa: PLC0415
    from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash  # noqa: PLC0415
    from tenancy.models import ApiKey, Membership, Tenant, User  # noqa: PLC0415

    name = f"bench-{new_id().hex}"  # a PostgreSQL database may have had others before
    tenant = Tenant.objects.create(slug=name, name="Benchmark")
    user = User.objects.create_user(username=name)
    Membership.objects.create(tenant=tenant, user=user, role=Role.ANALYST)
    secret = make_secret()
    ApiKey.objects.create(
        tenant=tenant,
        user=user,
        name="benchmark",
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=[Scope.READ, Scope.WRITE],
        created_at=timezone.now(),
    )
    return str(tenant.id), secret


@contextlib.contextmanager
def serving(application: str) -> Iterator[Server]:
    """Run gunicorn as quickstart does (threaded worker) with one worker process, and end it with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command += ["--threads", "4", "--worker-class", "gthread", "--timeout", "120", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Server(port, _worker_of(process.pid, port))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _worker_of(master_pid: int, port: int) -> int:
    """Wait until the port answers and return the process id of the one worker."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            children = Path(f"/proc/{master_pid}/task/{master_pid}/children").read_text(encoding="ascii").split()
            if children:
                return int(children[0])
        time.sleep(0.1)
    raise RuntimeError("the server did not start")
