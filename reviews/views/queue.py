"""The queue page: filters in the address, one page at a time, refreshed in place."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from claims.choices import ReviewPriority
from reviews.leases import count_held, take_next
from reviews.pages.queue_page import queue_etag, queue_frame, queue_pages, queue_row
from reviews.queue import QueueFilters, open_claims, queue_columns, queue_counts
from tenancy.base_views import TenantView
from tenancy.cursors import page_of
from tenancy.policy import tenant_policy

_ROWS = 25


class QueueView(TenantView):
    def get(self, request: HttpRequest) -> HttpResponse:
        page = self._page(request)
        if request.headers.get("HX-Target") != "queue":
            # No tag on the whole page: it also carries messages, which a 304 would swallow.
            return render(request, "desk/queue.html", page)
        if request.headers.get("If-None-Match") == page["etag"]:
            return HttpResponse(status=304, headers={"ETag": page["etag"]})
        response = render(request, "desk/_queue.html", page)
        response.headers["ETag"] = page["etag"]
        patch_vary_headers(response, ["HX-Target"])
        return response

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        now, filters = timezone.now(), filters_of(request)
        assert self.principal.tenant_id is not None
        cursor = request.GET.get("cursor") or None
        claims = page_of(
            open_claims(principal=self.principal, filters=filters, now=now),
            order=queue_columns(filters),
            limit=_ROWS,
            cursor=cursor,
            filters=filters.as_text(),
        )
        viewer, threshold = self.principal.user_id, tenant_policy(self.principal.tenant_id).fraud_urgent_threshold
        rows = [queue_row(claim, viewer_id=viewer, urgent_threshold=threshold, now=now) for claim in claims.items]
        counts = queue_counts(tenant_id=self.principal.tenant_id, now=now)
        held = count_held(holder_id=viewer, now=now)
        return {
            "rows": rows,
            "here": request.get_full_path(),
            "etag": queue_etag(rows, counts, held, request.get_full_path()),
            **queue_frame(filters, counts, held=held),
            **queue_pages(filters, cursor=cursor, next_cursor=claims.next_cursor),
        }


class TakeNextView(TenantView):
    """Gives the reviewer the claim that must be looked at first, or says that there is none."""

    def post(self, request: HttpRequest) -> HttpResponse:
        lease = take_next(actor=self.principal, now=timezone.now())
        if lease is None:
            messages.info(request, "Nothing is waiting that you could take.")
            return redirect("desk:queue")
        return redirect("desk:claim", claim_id=lease.claim_id)


def filters_of(request: HttpRequest) -> QueueFilters:
    """Return the filters that the address names; what is not known is no filter on a page."""
    priority = request.GET.get("priority", "")
    return QueueFilters(
        priority=priority if priority in ReviewPriority.values else None,
        mine=request.GET.get("mine") == "true",
        overdue=request.GET.get("overdue") == "true",
    )
