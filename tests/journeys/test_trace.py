"""One claim from the upload to the model's provider in real processes: one trace, and nothing personal in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aiassist.rendering.encode import render_clip
from aiassist.rendering.scenario import ClipKind, ClipSpec
from tests.aiassist.gateway.loopback import loopback
from tests.aiassist.gateway.requests import GOOD_ANSWER
from tests.aiassist.gateway.wires import OPENAI
from tests.journeys.program import Program
from tests.observability.collector import collector
from tests.processes import own_site, wait_until

_KEY = """
from django.utils import timezone
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, Membership, Tenant, User
tenant = Tenant.objects.create(slug="acme", name="Acme")
user = User.objects.create_user("ada")
Membership.objects.create(tenant=tenant, user=user, role="ANALYST")
secret = make_secret()
ApiKey.objects.create(tenant=tenant, user=user, name="trace", prefix=secret[:PREFIX_LENGTH],
    secret_sha256=secret_hash(secret), scopes=["read", "write"], created_at=timezone.now())
print(secret)
"""
# What a claimant tells, and what stands in the request; none of it may travel.
_CLAIMANT = {
    "name": "Wilhelmina Featherstonehaugh",
    "email": "wilhelmina@example.org",
    "phone": "+44 20 7946 0958",
}
_TOLD = {"claim_number": "CLM-TRACE-77", "description": "The man in the green hat drove into me"}


def _upload(program: Program, film: Path) -> str:
    accepted = program.upload(film, **_TOLD, claimant=json.dumps(_CLAIMANT))
    assert accepted.status == 202, accepted.body
    return str(accepted.json["id"])


def _texts(span: Any) -> list[str]:
    return [span.name, *(pair.key for pair in span.attributes), *(str(pair.value) for pair in span.attributes)]


@pytest.mark.journey
def test_one_claim_is_one_trace_from_the_request_to_the_provider(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    render_clip(ClipSpec(ClipKind.REAR_END, seed=5, width=320, height=180, fps=20, duration_seconds=2.0), film)
    (tmp_path / "site").mkdir()
    unsure = GOOD_ANSWER | {"statements": [], "severity": "UNSURE", "scenario": "UNKNOWN"}
    with loopback(OPENAI.answers_json(unsure)) as provider, collector() as collected:
        environment = {
            "LOCAL_LLM_BASE_URL": provider.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected.endpoint,
            "DJANGO_SETTINGS_MODULE": "tests.journeys.recycling_settings",
        }
        with own_site(tmp_path / "site", environment) as site:
            secret = site.manage("shell", "--no-imports", "-c", _KEY).strip().splitlines()[-1]
            web, worker = site.start_server(), site.start_worker(concurrency=1)
            program = Program(web.url, secret)
            claim_id = _upload(program, film)
            program.wait_until_assessed(claim_id)
            # The child is recycled right after its job: what it had not sent by itself comes at its end.
            wait_until(
                lambda: any(span.name.startswith("job claims") for span in collected.spans),
                "the worker's spans arrive",
                log=worker.output,
            )
            wait_until(lambda: any("upload" in span.name for span in collected.spans), "the request's span arrives")
            web.stop()
            worker.stop()
            logged = web.output() + worker.output()
    _check_the_walk(collected.spans, logged)
    told = " ".join(text for span in collected.spans for text in _texts(span))
    assert [
        value for value in (*_TOLD.values(), *_CLAIMANT.values(), secret, film.name, "127.0.0.1:") if value in told
    ] == []
    assert [word for word in ("SELECT ", "FROM ", "claimant", "user-agent", "query") if word in told] == []


def _check_the_walk(spans: list[Any], logged: str) -> None:
    (request,) = (span for span in spans if span.name.startswith("POST /api/v1/claims/upload"))
    (job,) = (span for span in spans if span.name == "job claims.assess")
    call = next(span for span in spans if span.name.startswith("chat "))
    assert request.trace_id == job.trace_id == call.trace_id
    assert job.parent_span_id == request.span_id
    attributes = {pair.key: pair.value for pair in call.attributes}
    assert attributes["gen_ai.provider.name"].string_value == "local"
    assert attributes["gen_ai.usage.input_tokens"].int_value > 0
    below = [span for span in spans if span.parent_span_id == call.span_id]
    assert [span.name for span in below] == ["POST"]  # the HTTP request to the provider
    names = {span.name for span in spans if span.trace_id == request.trace_id}
    assert {"database select", "database insert", "database update"} <= names
    assert f'"trace_id": "{request.trace_id.hex()}"' in logged
    assert json.dumps("job_ended") in logged
