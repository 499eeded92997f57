"""Polling a claim's status over HTTP: `python -m benchmarks.status [--claims 1000] [--requests 1000]`.

A real gunicorn on SQLite, one kept connection, another claim with every request. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import statistics
import time

from benchmarks.web import ground, make_key, serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    with ground():
        tenant_id, key = make_key()
        ids = _make_claims(tenant_id, options.claims)
        with serving("config.wsgi:application") as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            _milliseconds(connection, ids[0], key)
            took = sorted(_milliseconds(connection, ids[n % len(ids)], key) for n in range(options.requests))
            connection.close()
    told = {
        "claims": options.claims,
        "requests": options.requests,
        "status_p50_ms": round(statistics.median(took), 2),
        "status_p99_ms": round(took[int(len(took) * 0.99) - 1], 2),
    }
    print(json.dumps(told))


def _milliseconds(connection: http.client.HTTPConnection, claim_id: str, key: str) -> float:
    started = time.perf_counter()
    connection.request("GET", f"/api/v1/claims/{claim_id}/status", headers={"X-API-Key": key})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {body[:300]!r}")
    return (time.perf_counter() - started) * 1000


def _make_claims(tenant_id: str, count: int) -> list[str]:
    from uuid import UUID  # noqa: PLC0415

    from django.utils import timezone  # noqa: PLC0415

    from claims.models import Claim, VideoFile  # noqa: PLC0415
    from tenancy.models import User  # noqa: PLC0415
    from tenancy.scope import tenant_scope  # noqa: PLC0415

    now, user = timezone.now(), User.objects.get()
    with tenant_scope(UUID(tenant_id)):
        videos = [
            VideoFile(
                sha256=hashlib.sha256(str(n).encode()).hexdigest(),
                size_bytes=1,
                storage_key=f"{tenant_id}/{n}.mp4",
                media_type="video/mp4",
                codec="h264",
                width_px=1,
                height_px=1,
                stored_at=now,
            )
            for n in range(count)
        ]
        VideoFile.objects.bulk_create(videos, batch_size=500)
        claims = [
            Claim(claim_number=f"CLM-{n}", submitted_by=user, video=video, received_at=now)
            for n, video in enumerate(videos)
        ]
        Claim.objects.bulk_create(claims, batch_size=500)
        return [str(claim.id) for claim in claims]


if __name__ == "__main__":
    main()
