"""Reads a list's query parameters: page size, cursor and the filters it knows; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django_filters import FilterSet
from rest_framework.request import Request

from observability.errors import FieldProblem, InvalidInput
from tenancy.errors import UnknownParameter

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
_LONGEST_VALUE = 2_048
# Control characters, halves of surrogate pairs, and U+FFFD, which Django makes of bytes that are no UTF-8.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class ListParameters:
    """`filters` holds the given filters only, as text; `apply_filters` turns them into a query."""

    limit: int
    cursor: str | None
    filters: Mapping[str, str]


def list_parameters(request: Request | HttpRequest, allowed: Collection[str] = ()) -> ListParameters:
    """Return the list parameters; `allowed` names the filters. Raises UnknownParameter or InvalidInput."""
    given = _single_values(request.GET, {"limit", "cursor", *allowed})
    return ListParameters(
        limit=_limit(given.get("limit")),
        cursor=given.get("cursor"),
        filters={name: given[name] for name in sorted(given) if name in allowed and given[name] != ""},
    )


def single_parameter(request: Request | HttpRequest, name: str) -> str | None:
    """Return the one query parameter that a request may have; raises UnknownParameter for any other."""
    return _single_values(request.GET, (name,)).get(name)


def refuse_parameters(request: Request | HttpRequest) -> None:
    """Raise UnknownParameter when a request that takes no query parameters has one."""
    _single_values(request.GET, ())


def single_parameters(request: Request | HttpRequest, *, known: Collection[str]) -> dict[str, str]:
    """Return the query parameters, each given once; raises UnknownParameter for others, InvalidInput."""
    return _single_values(request.GET, known)


def apply_filters(filterset: type[FilterSet], *, queryset: QuerySet[Row], filters: Mapping[str, str]) -> QuerySet[Row]:
    """Return the rows that the filters leave; raises InvalidInput naming each value that cannot be used."""
    bound = filterset(data=dict(filters), queryset=queryset)
    if not bound.is_valid():
        raise InvalidInput(problems=list(_form_problems(bound.errors.get_json_data())))
    rows: QuerySet[Row] = bound.qs
    return rows


def _form_problems(errors: Mapping[str, Any]) -> list[FieldProblem]:
    return [
        FieldProblem(f"/{name}", problem["code"] or "invalid", problem["message"])
        for name, problems in errors.items()
        for problem in problems
    ]


def _single_values(query: QueryDict, known: Collection[str]) -> dict[str, str]:
    problems: list[FieldProblem] = []
    values: dict[str, str] = {}
    for name, given in query.lists():
        if name not in known:
            detail = f"Known here: {', '.join(sorted(known)) or 'none'}."
            raise UnknownParameter(problems=[FieldProblem("/", "unknown_parameter", detail)])
        if len(given) > 1:
            problems.append(FieldProblem(f"/{name}", "repeated", "Give this parameter once."))
        elif not _plain_text(given[0]):
            problems.append(FieldProblem(f"/{name}", "invalid", "This is no acceptable text."))
        values[name] = given[-1]
    if problems:
        raise InvalidInput(problems=problems)
    return values


def _plain_text(value: str) -> bool:
    return len(value) <= _LONGEST_VALUE and _UNWANTED.search(value) is None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    problem = FieldProblem("/limit", "out_of_range", f"A whole number from 1 to {MAX_LIMIT}.")
    raise InvalidInput(problems=[problem])
