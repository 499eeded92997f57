"""Two tenants with everything a tenant can own. Acme's people go looking for what is Borealis's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm

from aiassist.choices import ReportCause
from aiassist.monitoring.health import health_document
from aiassist.monitoring.watching import store_report
from claims.models import Assessment, ClaimGrant, Evidence
from claims.services.requesting import request_reassessment
from claims.visibility import OPEN_RESTRICTED
from observability.ids import new_id
from observability.models import DeadLetter, Job
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.models import BlindLabel
from reviews.services import decide_claim
from tenancy.audit import TenancyAction, record_event
from tenancy.choices import BudgetPeriod, Role
from tenancy.models import (
    ApiKey,
    AuditEvent,
    BrowserSession,
    Budget,
    Membership,
    SignOnIdentity,
    Tenant,
    TokenFamily,
    WebhookDelivery,
    WebhookEndpoint,
)
from tenancy.owned import TenantOwned
from tenancy.scope import every_tenant, tenant_scope
from tenancy.webhooks.announcing import announce
from tenancy.webhooks.catalogue import PlatformEvent
from tests.files import make_assessed_claim
from tests.observability.work import make_letter
from tests.people import Person, make_key, make_person, make_tenant

# Stands in everything of Borealis that has a name, and in nothing of Acme.
MARK = "borealis"


@dataclass(frozen=True)
class World:
    admin: Person
    client: Person
    owner: Person  # of what is looked for
    ids: dict[str, UUID]  # by kind of object
    own_ids: dict[str, UUID]  # the same of Acme

    def told_by(self, text: str) -> list[str]:
        """Return what the text says of Borealis."""
        low = text.lower()
        return [kind for kind, value in self.ids.items() if str(value) in low or value.hex in low] + (
            [MARK] if MARK in low else []
        )


def make_world() -> World:
    acme, borealis = make_tenant("acme"), make_tenant("borealis")
    admin, client = make_person(acme, "adam", Role.ADMIN), make_person(acme, "cleo", Role.CLIENT)
    own_ids = _belongings(client, make_person(acme, "sam", Role.SUPERVISOR), "acme") | _ways_in(admin)
    owner = make_person(borealis, "beate-borealis", Role.ADMIN)
    ids = _belongings(
        make_person(borealis, "carl-borealis", Role.CLIENT),
        make_person(borealis, "sven-borealis", Role.SUPERVISOR),
        MARK,
    )
    make_key(owner)
    key = ApiKey.objects.get(user=owner.user)
    ids |= _ways_in(owner) | {"key": key.id, "tenant": borealis.id, "user": owner.user.id}
    return World(admin, client, owner, ids, own_ids)


def _belongings(client: Person, supervisor: Person, name: str) -> dict[str, UUID]:
    """Make a waiting claim with everything around it, and a decided one that was drawn for a label."""
    now, tenant = timezone.now(), client.tenant
    Tenant.objects.filter(id=tenant.id).update(settings={"blind_label_share": 1.0})
    waiting, decided = (make_assessed_claim(client, f"{name}-{n}", summary=f"Seen by {name}.") for n in (1, 2))
    with tenant_scope(tenant.id):
        for claim in (waiting, decided):
            _keep(claim.video.storage_key)
        assert waiting.assessment is not None and decided.assessment_id is not None
        evidence = _evidence(waiting.assessment, name)
        draft = DecisionDraft(
            decision=DecisionKind.APPROVE, reasoning=f"Seen by {name}.", assessment_id=decided.assessment_id
        )
        decide_claim(claim_id=decided.id, actor=supervisor.principal, draft=draft, now=now)
        with transaction.atomic():
            record_event(
                action=TenancyAction.TENANT_CHANGED, actor=supervisor.principal, object_type="tenant",
                object_id=tenant.id, now=now, after={}, reason=name,
            )  # fmt: skip
        task = request_reassessment(actor=supervisor.principal, claim_ids=[waiting.id], now=now)
        label = BlindLabel.objects.get()
        endpoint = WebhookEndpoint.objects.create(
            url=f"https://{name}.example:8443/in", events=[PlatformEvent.PING], secret_sealed="sealed", created_at=now
        )
        with transaction.atomic():
            announce(PlatformEvent.PING, data={"webhook_id": endpoint.id}, now=now)
        assign_perm(OPEN_RESTRICTED, supervisor.user, waiting)
        grant = ClaimGrant.objects.get()
        delivery = WebhookDelivery.objects.get()
        budget = Budget.objects.create(period=BudgetPeriod.MONTH, limit_usd=5, created_at=now, changed_at=now)
        report = store_report("task:world", ReportCause.ON_DEMAND, *health_document(now=now), now=now)
        event = AuditEvent.objects.order_by("id")[0]
    make_letter(tenant_ref=str(tenant.id), now=now)
    return {
        "event": event.id,
        "claim": waiting.id, "decided": decided.id, "evidence": evidence.id, "label": label.id, "task": task,
        "assessment": waiting.assessment.id, "webhook": endpoint.id, "delivery": delivery.id, "grant": grant.id,
        "budget": budget.id, "report": report.id,
    }  # fmt: skip


def _ways_in(person: Person) -> dict[str, UUID]:
    """Make a session, tokens and a linked identity of the person."""
    now = timezone.now()
    person.browser()
    family = TokenFamily.objects.create(
        user=person.user, tenant=person.tenant, refresh_id=new_id(), created_at=now, refreshed_at=now,
        expires_at=now + timedelta(days=1),
    )  # fmt: skip
    identity = SignOnIdentity.objects.create(
        user=person.user, issuer="https://id.example", subject=person.user.username, linked_at=now
    )
    return {"session": BrowserSession.objects.get(user=person.user).id, "tokens": family.id, "identity": identity.id}


def _evidence(assessment: Assessment, name: str) -> Evidence:
    key = f"{assessment.tenant_id}/{hashlib.sha256(name.encode()).hexdigest()}.jpg"
    _keep(key)
    row: Evidence = Evidence.objects.create(
        assessment=assessment, position=0, kind="impact", stage="MOTION", measure="jerk_z", value=9.2, threshold=6.0,
        start_seconds=4.4, end_seconds=4.9, at_seconds=4.5, image_key=key,
    )  # fmt: skip
    return row


def _keep(key: str) -> None:
    path = Path(settings.MEDIA_ROOT) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"borealis" * 128)


def rows_of(tenant: Tenant) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of the tenant, table by table, past every filter of the code."""
    found = {}
    with every_tenant("a test compares"), connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, TenantOwned) or model in {ApiKey, Membership, TokenFamily}:
                column, value = "tenant_id", tenant.id
            elif model is Tenant:
                column, value = "id", tenant.id
            elif model in {Job, DeadLetter}:
                column, value = "tenant_ref", str(tenant.id)  # type: ignore[assignment]
            else:
                continue
            field: Any = model._meta.get_field(column.removesuffix("_id") if column != "id" else column)
            cursor.execute(
                f"SELECT * FROM {model._meta.db_table} WHERE {column} = %s ORDER BY id",
                [field.get_db_prep_value(value, connection)],
            )
            found[model._meta.label] = cursor.fetchall()
    return found
