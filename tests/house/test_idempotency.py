"""Every POST of the API takes an Idempotency-Key, except those listed here, each with the reason why it needs none."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from tenancy.idempotency import IdempotentCreate

# What repeats by itself without a second effect.
WITHOUT_KEY = {
    "api/v1/claims/<uuid:claim_id>/erase": "an erased claim stays erased; asking again is answered the same",
    "api/v1/token": "its answer is a secret that is never stored; a lost one is let lapse and asked for anew",
    "api/v1/token/refresh": "a refresh token is good once, and its second use ends all that came of it",
    "api/v1/token/revoke": "what is ended stays ended",
    "api/v1/dlq/<uuid:job_id>/retry": "the first ends the letter; the second is told so (409), and the job runs once",
    "api/v1/dlq/<uuid:job_id>/resolve": "the first ends the letter; the second is told so (409)",
    "api/v1/incidents": "one is open for a kind and subject; asking again answers with it",
    "api/v1/incidents/<int:number>/acknowledge": "what is acknowledged stays so",
    "api/v1/incidents/<int:number>/steps/<int:position>": "a step that is done is not done again (409)",
    "api/v1/incidents/<int:number>/mitigate": "what is mitigated stays so",
    "api/v1/incidents/<int:number>/resolve": "what is resolved stays so",
    "api/v1/incidents/<int:number>/close": "what is closed stays so",
    "api/v1/alerting/send": "the same alert again is counted at the open one",
    "api/v1/alerting/test": "while a test is open, a second one is the same",
    "api/v1/alerting/alerts/<uuid:alert_id>/acknowledge": "who took an alert on stays who took it on",
    "api/v1/alerting/alerts/<uuid:alert_id>/resolve": "an alert ends once; again is refused as resolved",
    "api/v1/circuit-breakers/<str:name>/reset": "a breaker that is closed already stays closed",
}


def _posts(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, type]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _posts(pattern.url_patterns, route)
        else:
            view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
            if view is not None and route.startswith("api/v1/") and hasattr(view, "post"):
                yield route, view


def test_every_creating_post_takes_an_idempotency_key() -> None:
    posts = dict(_posts(get_resolver().url_patterns))
    assert len(posts) > 8
    without = {route for route, view in posts.items() if not issubclass(view, IdempotentCreate)}
    assert without == set(WITHOUT_KEY)
