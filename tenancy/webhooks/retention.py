"""Events that were told long ago are forgotten, with their deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from tenancy.choices import DeliveryState
from tenancy.models import Tenant, WebhookDelivery, WebhookEvent
from tenancy.scope import tenant_scope

# Long enough to find out on a Monday what a receiver missed over its holidays.
KEPT = timedelta(days=30)
_MOST_AT_ONCE = 1000


def purge_old_events(*, now: datetime) -> int:
    """Delete events of more than 30 days ago of which nothing is on its way; return how many (a timer calls this)."""
    deleted = 0
    for tenant_id in Tenant.objects.order_by("id").values_list("id", flat=True):
        with tenant_scope(tenant_id):
            deleted += _purge(before=now - KEPT)
    return deleted


def _purge(*, before: datetime) -> int:
    open_rows = WebhookDelivery.objects.filter(event=OuterRef("pk"), state=DeliveryState.PENDING)
    # Told again yesterday: the log of that is not a month old.
    late = WebhookDelivery.objects.filter(event=OuterRef("pk"), finished_at__gte=before)
    old = WebhookEvent.objects.filter(~Exists(open_rows), ~Exists(late), occurred_at__lt=before)
    chosen = list(old.order_by("occurred_at").values_list("id", flat=True)[:_MOST_AT_ONCE])
    WebhookEvent.objects.filter(id__in=chosen).delete()
    return len(chosen)
