from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings

from observability import logging as observability_logging
from observability.context import work_context
from observability.logging import configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Everything that the process would log as JSON."""
    caught = io.StringIO()
    hooks = sys.excepthook, threading.excepthook
    configure_logging(style="json", stream=caught)
    yield caught
    sys.excepthook, threading.excepthook = hooks
    configure_logging(style=settings.LOG_FORMAT)


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_configure_logging_writes_our_lines_as_json_with_the_ids_of_the_work_in_hand(stream: io.StringIO) -> None:
    with work_context(request_id="req-1", tenant_id="t-1", job_id="j-1"):
        structlog.get_logger("claims").info("claim_received", size_bytes=12)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "claim_received",
        "size_bytes": 12,
        "level": "info",
        "logger": "claims",
        "request_id": "req-1",
        "tenant_id": "t-1",
        "job_id": "j-1",
    }


@pytest.mark.parametrize("name", ["django.db", "celery.worker", "gunicorn.error", "some.library"])
def test_configure_logging_takes_lines_of_libraries_through_the_same_masker(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).handlers = [logging.StreamHandler(io.StringIO())]  # as gunicorn and Celery do
    configure_logging(style="json", stream=stream)
    with work_context(request_id="req-1"):
        logging.getLogger(name).warning("mail to %s from %s", "ada@example.org", "106.31.73.20")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["request_id"]) == ("mail to [email] from [ip]", "warning", "req-1")


@pytest.mark.parametrize("logger", [structlog.get_logger("ours"), logging.getLogger("theirs")])
def test_configure_logging_masks_the_text_of_exceptions_and_prints_no_local_variables(
    stream: io.StringIO, logger: logging.Logger
) -> None:
    local_number = "460-89-9847"
    try:
        raise ValueError(f"no claim of ada@example.org ({len(local_number)})")
    except ValueError:
        logger.exception("failed")
    (line,) = lines(stream)
    assert "ValueError: no claim of [email] (11)" in line["exception"]
    assert local_number not in stream.getvalue()


def test_configure_logging_masks_fields_by_their_names(stream: io.StringIO) -> None:
    structlog.get_logger().info("hello", email="ada at example", nested={"password": "x y"}, kind="claims.assess")
    (line,) = lines(stream)
    assert (line["email"], line["nested"], line["kind"]) == ("[masked]", {"password": "[masked]"}, "claims.assess")


def test_configure_logging_takes_the_query_out_of_what_the_web_server_says(stream: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").error("Error handling request POST %s", "/claims/?q=wilhelmina&page=2")
    (line,) = lines(stream)
    assert line["event"] == "Error handling request POST /claims/?[query]"


def test_configure_logging_lets_nobody_forge_a_line(stream: io.StringIO) -> None:
    configure_logging(style="console", stream=stream)
    logging.getLogger("x").warning("Not Found: /a\n2026-11-21 [critical] all is lost\x1b[2J")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b[2J" not in stream.getvalue()


def test_configure_logging_leaves_out_lines_that_quote_raw_paths(stream: io.StringIO) -> None:
    logging.getLogger("django.server").info('"GET /claims?q=Ada HTTP/1.1" 200 12')
    logging.getLogger("django.request").warning("Not Found: /claims/Ada")
    assert stream.getvalue() == ""


def test_configure_logging_twice_does_not_write_twice(stream: io.StringIO) -> None:
    configure_logging(style="json", stream=stream)
    logging.getLogger("x").warning("once")
    assert len(lines(stream)) == 1


@pytest.mark.filterwarnings("default")
def test_configure_logging_masks_what_a_thread_dies_of(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise ValueError("ada@example.org")

    monkeypatch.setattr(threading, "excepthook", observability_logging._log_uncaught_in_thread)  # pytest set its own
    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("uncaught_error", "critical")
    assert "ValueError: [email]" in line["exception"]


def test_celery_finds_logging_configured_and_leaves_it_alone(stream: io.StringIO) -> None:
    from celery import current_app

    before = list(logging.getLogger().handlers)
    setattr(current_app.log, "already_setup", False)  # noqa: B010  # the stubs take it for a class variable
    current_app.log.setup_logging_subsystem(loglevel="DEBUG")
    assert logging.getLogger().handlers == before
    assert logging.getLogger().level == logging.INFO


@pytest.mark.parametrize("name", ["openai", "openai._base_client", "anthropic._base_client", "httpx2"])
def test_a_library_that_turns_its_own_logger_up_is_still_held_back(stream: io.StringIO, name: str) -> None:
    """OPENAI_LOG=debug and ANTHROPIC_LOG=debug do this when the SDK is imported; its debug lines hold whole prompts."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("Request options: %s", {"json_data": "the man in the green hat"})
        logger.info("the same again")
        logger.warning("heard")
    finally:
        logger.setLevel(before)
    assert [line["event"] for line in lines(stream)] == ["heard"]
