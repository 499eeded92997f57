"""What a key costs a request: `python -m benchmarks.authentication [--requests 3000]`.

The same view, in this process, with key authentication and with a principal that is simply there; requests alternate,
so that all meet the same machine. Prints one JSON line: medians by the clock and by the processor's time (which a busy
machine does not change), their differences, and what a checksum failure costs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

from benchmarks.web import ground, make_key


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    options = parser.parse_args()
    with ground():
        _, secret = make_key()
        with_key, without, with_token = _asked(secret)
        told = _measured({"with_key": with_key, "without": without, "with_token": with_token}, options)
    for unit in ("ms", "cpu_ms"):
        for way in ("key", "token"):
            told[f"{way}_adds_{unit}"] = round(told[f"with_{way}_p50_{unit}"] - told[f"without_p50_{unit}"], 3)
    print(json.dumps({"requests": options.requests, **told, **_garbage(secret)}))


def _measured(ways: dict[str, Callable[[], None]], options: argparse.Namespace) -> dict[str, float]:
    clock: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-50, options.requests):
        for name, ask in ways.items():
            started, worked = time.perf_counter(), time.thread_time()
            ask()
            if number >= 0:  # the first ones fill caches
                processor[name].append((time.thread_time() - worked) * 1000)
                clock[name].append((time.perf_counter() - started) * 1000)
    medians = {f"{name}_p50_ms": statistics.median(times) for name, times in clock.items()}
    medians |= {f"{name}_p50_cpu_ms": statistics.median(times) for name, times in processor.items()}
    return {name: round(value, 3) for name, value in medians.items()}


def _asked(secret: str) -> tuple[Callable[[], None], Callable[[], None], Callable[[], None]]:
    """Return three ways to ask the same view: with the key, with its principal given, with an access token."""
    from django.utils import timezone  # noqa: PLC0415
    from rest_framework.authentication import BaseAuthentication  # noqa: PLC0415
    from rest_framework.request import Request  # noqa: PLC0415
    from rest_framework.response import Response  # noqa: PLC0415
    from rest_framework.test import APIRequestFactory  # noqa: PLC0415

    from tenancy.authentication import principal_for_secret  # noqa: PLC0415
    from tenancy.base_api import TenantAPIView  # noqa: PLC0415
    from tenancy.choices import Scope  # noqa: PLC0415
    from tenancy.clients import ClientMark  # noqa: PLC0415
    from tenancy.principals import Principal  # noqa: PLC0415
    from tenancy.token_grants import grant_tokens  # noqa: PLC0415

    now = timezone.now()
    key, principal = principal_for_secret(secret=secret, now=now)
    pair = grant_tokens(principal=principal, user=key.user, client=ClientMark("", ""), now=now)

    class Given(BaseAuthentication):
        def authenticate(self, request: Request) -> tuple[object, Principal]:
            return key.user, principal

    class Checked(TenantAPIView):
        scopes = {"GET": (Scope.READ,)}

        def get(self, request: Request) -> Response:
            return Response({})

    class Trusting(Checked):
        authentication_classes = (Given,)

    factory = APIRequestFactory()

    def way(view: type[Checked], **headers: str) -> Callable[[], None]:
        answer = view.as_view()

        def ask() -> None:
            status = answer(factory.get("/", headers=headers)).status_code
            if status != 200:
                raise RuntimeError(status)

        return ask

    bearer = {"Authorization": f"Bearer {pair.access}"}
    return way(Checked, **{"X-API-Key": secret}), way(Trusting), way(Checked, **bearer)


def _garbage(secret: str) -> dict[str, float]:
    """Return the microseconds in which a key with a wrong checksum is refused, database not asked."""
    from tenancy.keys import well_formed  # noqa: PLC0415

    wrong, times = secret[:-1] + ("0" if secret[-1] != "0" else "1"), 20_000
    started = time.perf_counter()
    refused = sum(not well_formed(wrong) for _ in range(times))
    if refused != times:
        raise RuntimeError("a wrong checksum passed")
    return {"wrong_checksum_us": round((time.perf_counter() - started) / times * 1e6, 2)}


if __name__ == "__main__":
    main()
