"""HTTP refusals in the chain's words, and what Retry-After says."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from aiassist.gateway.refusals import refusal_error, retry_after_seconds
from aiassist.gateway.types import ErrorKind


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (307, "redirect_refused", ErrorKind.NEXT),
        (400, "request_refused", ErrorKind.NEXT),
        (401, "credentials_refused", ErrorKind.NEXT),
        (402, "quota_spent", ErrorKind.NEXT),
        (403, "credentials_refused", ErrorKind.NEXT),
        (404, "model_not_found", ErrorKind.NEXT),
        (408, "http_408", ErrorKind.RETRY),
        (409, "http_409", ErrorKind.RETRY),
        (413, "request_too_large", ErrorKind.NEXT),
        (422, "http_422", ErrorKind.NEXT),
        (429, "rate_limited", ErrorKind.RETRY),
        (500, "http_500", ErrorKind.RETRY),
        (503, "http_503", ErrorKind.RETRY),
        (529, "http_529", ErrorKind.RETRY),
    ],
)
def test_refusal_error_classifies_every_status(status: int, code: str, kind: ErrorKind) -> None:
    error = refusal_error(status, {})
    assert (error.code, error.kind, error.retry_after_seconds) == (code, kind, None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", None), ("nan", None), ("inf", None), ("soon", None), ("", None)],
)
def test_retry_after_seconds_reads_seconds(header: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": header}) == seconds


def test_retry_after_seconds_reads_a_date() -> None:
    waited = retry_after_seconds({"retry-after": formatdate(4_000_000_000, usegmt=True)})
    assert waited is not None
    assert waited > 86_400
    assert retry_after_seconds({"retry-after": formatdate(0, usegmt=True)}) is None
