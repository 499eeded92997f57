"""A release in which a list of claims cannot be shown."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

_Answer = Callable[[HttpRequest], HttpResponseBase]


def broken_middleware(get_response: _Answer) -> _Answer:
    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path == "/api/v1/claims":
            raise AttributeError("'NoneType' object has no attribute 'severity'")
        return get_response(request)

    return answer
