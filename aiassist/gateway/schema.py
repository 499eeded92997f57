"""Holds a model's answer against the JSON schema it was asked for; strict, because the answer is hostile input."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from jsonschema import Draft202012Validator

from aiassist.gateway.types import ErrorKind, JsonObject, ProviderAnswer, ProviderError

MAX_ANSWER_CHARACTERS = 100_000  # about 25,000 tokens: twenty times the longest answer that is asked for


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _unique_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def parse_strict(text: str) -> object:
    """Read one JSON document; no NaN, no endless numbers, no key twice.

    Raises: ProviderError (NEXT) for anything else.
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise ProviderError("answer_too_long", kind=ErrorKind.NEXT)
    try:
        parsed: object = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite_number, object_pairs_hook=_unique_pairs
        )
    except (ValueError, RecursionError) as problem:
        raise ProviderError("answer_not_json", kind=ErrorKind.NEXT) from problem
    return parsed


def validated(content: object, schema: JsonObject) -> JsonObject:
    """Return the content if it satisfies the schema.

    Raises: ProviderError (NEXT): an invalid answer counts as a failure of that provider.
    """
    if not isinstance(content, dict) or next(Draft202012Validator(schema).iter_errors(content), None) is not None:
        raise ProviderError("answer_breaks_schema", kind=ErrorKind.NEXT)
    return content


def valid_answer(answer: ProviderAnswer, schema: JsonObject) -> ProviderAnswer:
    """Return the answer if its content satisfies the schema; else the error tells what it used."""
    try:
        validated(answer.content, schema)
    except ProviderError as error:
        error.usage = answer.usage
        raise
    return answer
