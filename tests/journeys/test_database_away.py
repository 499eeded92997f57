"""The database goes away under a running web server and worker: every address says when to come back, then all heals.

Over PostgreSQL (`DATABASE_URL`) by a TCP proxy that is cut, else by a file that cannot be opened. With
`AWAY_SECONDS=30` it is away for longer.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cutting import Cut, SqliteCut, TcpCut
from tests.isolation.crawl import addresses
from tests.processes import Site, answers, own_site, wait_until

AWAY_SECONDS = float(os.environ.get("AWAY_SECONDS", "4"))
JOBS = 6
_PEOPLE = """
import json
from django.test import Client
from tests.people import make_key, make_person, make_tenant
from tenancy.choices import Role
person = make_person(make_tenant("acme"), "adam", Role.ADMIN)
browser = Client()
browser.force_login(person.user)
print(json.dumps({"key": make_key(person), "cookie": browser.cookies["sessionid"].value}))
"""
_PARAMETER = re.compile(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)")
_NOBODYS = "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22"
# What needs no database, and what answers for itself. Everything else must say 503.
WITHOUT_DATABASE = {"/health", "/health/live", "/metrics"}
# The contract, which names what lists hold.
DOCUMENTS = {"/api/v1/schema"}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[tuple[Site, Cut]]:
    own = {"DJANGO_SETTINGS_MODULE": "tests.flow.settings", "JOB_LEASE_SECONDS": "3"}
    with own_site(tmp_path, own) as site:
        url = site.environment["DATABASE_URL"]
        cut: SqliteCut | TcpCut
        if url.startswith("postgres"):
            cut = TcpCut(url)
            site.environment["DATABASE_URL"] = cut.url
        else:
            # A process that has the file open goes on reading it: each request opens it anew here.
            site.environment["SQLITE_REOPEN"] = "1"
            cut = SqliteCut(Path("/" + url.removeprefix("sqlite:///").lstrip("/")))
        yield site, cut


def ask(url: str, person: dict[str, str], address: str) -> tuple[int, Any, str]:
    program = address.startswith(("/api/", "/debug", "/health/detailed"))
    headers = {"X-API-Key": person["key"]} if program else {"Cookie": f"sessionid={person['cookie']}"}
    headers["Accept"] = "application/json" if program else "text/html"
    if address in WITHOUT_DATABASE:
        headers = {"Accept": "*/*"}  # a probe brings no session, which would have to be looked up
    request = urllib.request.Request(url + address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read().decode("utf-8", "replace")


def every_address() -> list[str]:
    """Return each address of the resolver once; the sign-on's lead to providers that nobody set up."""
    found = {_PARAMETER.sub(_NOBODYS, one.template) for one in addresses()}
    return sorted(path for path in found if "(" not in path and "\\" not in path and "/sso/" not in path)


def faults_of(url: str, person: dict[str, str]) -> list[str]:
    """Return the addresses that answer otherwise than they should without a database."""
    faults = []
    for address in every_address():
        status, headers, body = ask(url, person, address)
        if address in WITHOUT_DATABASE:
            faults += [] if status == 200 else [f"{address}: {status}"]
        elif status in (200, 301, 302, 308, 404, 405, 406):
            # A redirect, a document or a refusal that needs no look at the database; never somebody's data.
            faults += (
                [f"{address}: 200 with data"]
                if status == 200 and '"items"' in body and address not in DOCUMENTS
                else []
            )
        elif status != 503 or not headers.get("Retry-After"):
            faults.append(f"{address}: {status} {headers.get('Retry-After')} {body[:200]}")
        elif headers["Content-Type"].startswith("application/") and "code" not in json.loads(body):
            faults.append(f"{address}: no error code")
    return faults


@pytest.mark.journey
def test_without_a_database_every_address_says_when_to_come_back_and_it_heals(installation: tuple[Site, Cut]) -> None:
    site, cut = installation
    person = json.loads(site.manage("shell", "--no-imports", "-c", _PEOPLE).strip().splitlines()[-1])
    site.manage("collectstatic", "--noinput", "-v0")
    web, worker = site.start_server(), site.start_worker()
    assert ask(web.url, person, "/api/v1/tenant")[0] == 200
    assert ask(web.url, person, "/desk/")[0] == 200
    site.manage("flow", "--enqueue", str(JOBS), "--seconds", "1.0:1.5")
    wait_until(lambda: '"job_started"' in worker.output(), "a job is in hand", seconds=20)
    cut.away()
    began = time.monotonic()
    try:
        time.sleep(1.1)  # what readiness found is shared for a second
        for address in ("/api/v1/tenant", "/api/v1/claims", "/desk/", "/admin/", "/health/ready", "/debug-resilience"):
            status, headers, body = ask(web.url, person, address)
            assert (status, bool(headers["Retry-After"])) == (503, True), (address, status, body[:300])
        assert answers(f"{web.url}/health/live") and answers(f"{web.url}/health")
        assert "Back in a moment" in ask(web.url, person, "/desk/")[2]
        assert json.loads(ask(web.url, person, "/api/v1/claims")[2])["code"] == "unavailable"
        assert faults_of(web.url, person) == []
        time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - began)))
    finally:
        cut.back()
    wait_until(lambda: answers(f"{web.url}/health/ready"), "it is ready again by itself", seconds=20)
    assert ask(web.url, person, "/api/v1/tenant")[0] == 200
    assert ask(web.url, person, "/desk/")[0] == 200
    stands: dict[str, Any] = {}

    def done() -> bool:
        stands.update(site.manage_json("flow"))
        return bool(stands["results"] >= JOBS)  # other jobs, such as telling of the trouble, are counted in the states

    wait_until(done, "every job is done", seconds=90, log=lambda: f"{stands}\n{worker.output()[-3000:]}")
    assert (stands["results"], stands["distinct"]) == (JOBS, JOBS)
