"""What a tenant keeps no longer than it decided goes by itself: late claims, held ones and open ones stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from claims.models import Claim
from claims.services import apply_retention
from claims.services import retention as retention_module
from observability.models import Job
from tenancy.models import AuditEvent, Tenant
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, files_in, hand_in
from tests.claims.privacy import decided_claim, run_jobs
from tests.people import Person

CLAIMS = "/api/v1/claims"
NOW = timezone.now()


def keep(person: Person, **days: int) -> None:
    Tenant.objects.filter(id=person.tenant.id).update(settings=days)


def closed(person: Person, number: str, *, days_ago: int) -> Claim:
    claim = decided_claim(person, number, clip(number), description="He braked.")
    with tenant_scope(person.tenant.id):
        Claim.objects.filter(id=claim.id).update(closed_at=NOW - timedelta(days=days_ago))
    return claim


def test_nothing_goes_where_nothing_was_decided_about_keeping(cleo: Person) -> None:
    closed(cleo, "OLD", days_ago=9_000)
    assert apply_retention(now=NOW) == 0


def test_video_goes_first_and_what_was_told_later(cleo: Person) -> None:
    claim = closed(cleo, "OLD", days_ago=40)
    young = closed(cleo, "YOUNG", days_ago=20)
    keep(cleo, retention_days_video=30, retention_days_personal_data=365)
    assert [apply_retention(now=NOW), apply_retention(now=NOW)] == [1, 0]
    run_jobs()
    shown = cleo.api().get(f"{CLAIMS}/{claim.id}").json()
    assert (shown["description"], shown["personal_data"], shown["erased_at"]) == ("He braked.", "READABLE", None)
    assert shown["media_removed_at"] and len(files_in(settings.MEDIA_ROOT)) == 3
    assert cleo.api().get(f"{CLAIMS}/{claim.id}/video").json()["code"] == "media_removed"
    assert cleo.api().get(f"{CLAIMS}/{young.id}/video").status_code == 200
    assert apply_retention(now=NOW + timedelta(days=330)) == 2, "one to erase, one more video"
    shown = cleo.api().get(f"{CLAIMS}/{claim.id}").json()
    assert (shown["description"], shown["personal_data"]) == ("", "ERASED")
    with tenant_scope(cleo.tenant.id):
        told = AuditEvent.objects.filter(object_id=str(claim.id)).order_by("id").values_list("event", "reason")
        assert list(told)[-2:] == [
            ("claim.media_removed", "retention_days_video"),
            ("claim.erased", "retention_days_personal_data"),
        ]


def test_held_and_open_claims_stay(cleo: Person, sam: Person) -> None:
    held = closed(cleo, "HELD", days_ago=900)
    sam.api().put(f"{CLAIMS}/{held.id}/legal-hold", {"held": True, "reason": "court"}, format="json")
    hand_in(cleo.api(), "OPEN", clip("open"))
    keep(cleo, retention_days_video=1, retention_days_personal_data=1)
    assert apply_retention(now=NOW + timedelta(days=900)) == 0
    assert cleo.api().get(f"{CLAIMS}/{held.id}/video").status_code == 200


def test_each_tenant_has_its_own_times(cleo: Person, zoe: Person) -> None:
    ours, theirs = closed(cleo, "OURS", days_ago=40), closed(zoe, "THEIRS", days_ago=40)
    keep(zoe, retention_days_personal_data=30)
    assert apply_retention(now=NOW) == 1
    assert cleo.api().get(f"{CLAIMS}/{ours.id}").json()["personal_data"] == "READABLE"
    assert zoe.api().get(f"{CLAIMS}/{theirs.id}").json()["personal_data"] == "ERASED"


def test_what_a_batch_leaves_over_goes_with_the_next(cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("A", "B", "C"):
        closed(cleo, number, days_ago=40)
    keep(cleo, retention_days_personal_data=30)
    monkeypatch.setattr(retention_module, "BATCH", 2)
    assert [apply_retention(now=NOW) for _ in range(3)] == [2, 1, 0]
    assert Job.objects.count() == 3


@pytest.mark.parametrize("days", [0, -1, 1.5, True, "30", 10**9])
def test_impossible_times_are_refused(adam: Person, days: object) -> None:
    api = adam.api()
    tag = api.get("/api/v1/tenant")["ETag"]
    body = {"settings": {"retention_days_video": days}}
    answer = api.patch("/api/v1/tenant", body, format="json", HTTP_IF_MATCH=tag)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/settings/retention_days_video")
