"""The chain is built from settings; what is not configured is not there, and no secret shows itself."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from aiassist.gateway.chain import chain_from
from aiassist.gateway.config import GatewayConfig
from aiassist.gateway.reach import reach_of
from aiassist.gateway.types import Reach
from tests.aiassist.gateway.loopback import answers_json, loopback
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request


@pytest.fixture(autouse=True)
def nothing_configured(settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    settings.OPENAI_MODEL = "gpt-x"
    settings.LOCAL_LLM_BASE_URL = ""
    settings.LOCAL_LLM_MODEL = "small"


def test_from_settings_knows_no_provider_by_default() -> None:
    config = GatewayConfig.from_settings()
    assert (config.openai, config.local) == (None, None)
    assert config.policy.total_deadline_seconds == 90.0


def test_from_settings_hides_the_key(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-secret"
    config = GatewayConfig.from_settings()
    assert config.openai is not None
    assert config.openai.api_key == "sk-secret"
    assert "sk-secret" not in repr(config)


def test_chain_from_asks_openai_first_and_then_the_local_server(settings: Settings) -> None:
    with loopback(answers_json({"view": "WRONG"})) as first, loopback(answers_json(GOOD_ANSWER)) as second:
        settings.OPENAI_API_KEY = "sk-secret"
        settings.OPENAI_BASE_URL = first.url
        settings.LOCAL_LLM_BASE_URL = second.url
        answer = chain_from(GatewayConfig.from_settings()).ask(make_request(), external_allowed=True)
    assert (answer.provider, answer.model) == ("local", "served-model")
    assert answer.errors == ("openai:answer_breaks_schema",)
    assert second.requests[0]["model"] == "small"
    assert "sk-secret" not in second.keys[0], "one provider's key never reaches another"


@pytest.mark.parametrize(
    ("url", "reach"),
    [
        ("http://127.0.0.1:8080/v1", Reach.LOCAL),
        ("http://[::1]:8080/v1", Reach.LOCAL),
        ("http://10.1.2.3/v1", Reach.LOCAL),
        ("http://localhost:11434/v1", Reach.LOCAL),
        ("http://ollama:11434/v1", Reach.LOCAL),
        ("http://gpu.corp.internal/v1", Reach.LOCAL),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", Reach.EXTERNAL),
        ("https://8.8.8.8/v1", Reach.EXTERNAL),
        ("https://localhost.example.com/v1", Reach.EXTERNAL),
        ("nonsense", Reach.EXTERNAL),
    ],
)
def test_reach_of_knows_the_house(url: str, reach: Reach) -> None:
    assert reach_of(url) is reach
