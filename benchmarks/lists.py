"""First and deepest pages of the lists among a million rows: `python -m benchmarks.lists [--rows N]`.

Builds a scratch database (SQLite, or beside the PostgreSQL database that DATABASE_URL names), asks over the API in this
process for the first page and for pages at a tenth, half and the end of each list, and prints one JSON line: the
slowest page as a multiple of the first, medians. The cursor of a deep page is the one that walking there would give.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.environment import prepare_environment

FLOOR_RATIO = 2.0
PAGE = 100
DEPTHS = (0.1, 0.5, 0.999)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.test import Client

    from tenancy.cursors import OrderColumn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare_environment(folder)
        import django  # noqa: PLC0415  # the environment above is read by the settings

        django.setup()
        logging.disable(logging.WARNING)  # a line per request would bury the one line that this prints
        from django.db import connection  # noqa: PLC0415

        connection.creation.create_test_db(verbosity=0, serialize=False)
        try:
            print(json.dumps(_measured(options.rows, options.repeats)))
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _measured(rows: int, repeats: int) -> dict[str, object]:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from benchmarks.open_claims import fill  # noqa: PLC0415
    from tenancy.models import Tenant  # noqa: PLC0415
    from tenancy.scope import tenant_scope  # noqa: PLC0415

    client = Client(headers={"X-API-Key": fill(rows, signals=False)}, SERVER_NAME="localhost")
    lists: dict[str, dict[str, float]] = {}
    for name, (path, query) in _LISTS.items():
        with tenant_scope(Tenant.objects.get(slug="bench").id):
            cursors = _cursors(path, query)
        pages = {"first": "", **cursors}
        lists[name] = {place: _p50(client, path, query, cursor, repeats) for place, cursor in pages.items()}
    worst = max(max(times.values()) / times["first"] for times in lists.values())
    return {
        "engine": connection.vendor,
        "rows": rows,
        "page": PAGE,
        "p50_ms": lists,
        "slowest_page_to_first": round(worst, 2),
        "floor": FLOOR_RATIO,
        "holds": worst <= FLOOR_RATIO,
    }


_LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "claims": ("/api/v1/claims", {}),
    "claims by status": ("/api/v1/claims", {"status": "AWAITING_REVIEW"}),
    "queue": ("/api/v1/reviews/queue", {}),
    "queue of one class": ("/api/v1/reviews/queue", {"priority": "STANDARD"}),
}


def _cursors(path: str, query: dict[str, str]) -> dict[str, str]:
    """Return the cursors of the pages at DEPTHS of a list."""
    from tenancy.cursors import page_of  # noqa: PLC0415

    claims, order, bound = _claims(query) if path.endswith("claims") else _queue(query)
    names = [f"-{column.name}" if column.descending else column.name for column in order]
    ids: list[UUID] = list(claims.order_by(*names).values_list("id", flat=True))
    found = {}
    for depth in DEPTHS:
        place = min(int(len(ids) * depth), len(ids) - PAGE - 2)
        pair = claims.filter(id__in=ids[place : place + 2])
        page: Any = page_of(pair, order=order, limit=1, cursor=None, filters=bound)
        found[f"at {depth:.1%}"] = str(page.next_cursor)
    return found


def _claims(query: dict[str, str]) -> tuple[QuerySet[Any], tuple[OrderColumn, ...], dict[str, str]]:
    from claims.models import Claim  # noqa: PLC0415
    from tenancy.cursors import OrderColumn  # noqa: PLC0415

    order = (OrderColumn("received_at", descending=True), OrderColumn("id", descending=True))
    return Claim.objects.filter(**query), order, query


def _queue(query: dict[str, str]) -> tuple[QuerySet[Any], tuple[OrderColumn, ...], dict[str, str]]:
    from claims.choices import QUEUE_RANK  # noqa: PLC0415
    from claims.models import Claim  # noqa: PLC0415
    from reviews.queue import QueueFilters, queue_columns  # noqa: PLC0415

    order = queue_columns(QueueFilters(priority=query.get("priority")))
    ranks = {"queue_rank": QUEUE_RANK[query["priority"]]} if query else {}
    return Claim.objects.filter(**ranks), order, query


def _p50(client: Client, path: str, query: dict[str, str], cursor: str, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        answer = client.get(path, {"limit": str(PAGE), **query, **({"cursor": cursor} if cursor else {})})
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.content
        assert len(answer.json()["items"]) == PAGE
    return round(statistics.median(times), 2)


if __name__ == "__main__":
    main()
