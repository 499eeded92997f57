from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from claims.models import Claim
from tenancy.scope import every_tenant
from tests.files import make_assessed_claim, make_claim
from tests.people import Person


@pytest.mark.django_db
def test_metrics_tell_how_much_waits_over_all_tenants_and_name_none(client: Client, ada: Person, zoe: Person) -> None:
    make_assessed_claim(ada, "CLM-1", priority="URGENT")
    make_assessed_claim(zoe, "CLM-1", priority="URGENT")
    late = make_assessed_claim(ada, "CLM-2", priority="STANDARD")
    make_claim(ada, "CLM-3")
    with every_tenant("test"):
        Claim.objects.filter(id=late.id).update(review_due_at=timezone.now() - timedelta(minutes=1))
    shown = client.get("/metrics").content.decode()
    assert 'claimwright_open_reviews{priority="URGENT"} 2.0' in shown
    assert 'claimwright_open_reviews{priority="STANDARD"} 1.0' in shown
    assert 'claimwright_open_reviews{priority="LOW_PRIORITY"} 0.0' in shown
    assert 'claimwright_overdue_reviews{priority="STANDARD"} 1.0' in shown
    assert 'claimwright_overdue_reviews{priority="URGENT"} 0.0' in shown
    assert str(ada.tenant.id) not in shown
    assert "acme" not in shown
