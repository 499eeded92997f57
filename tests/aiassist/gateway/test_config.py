"""The chain is built from settings; what is not configured is not there, and no secret shows itself."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from aiassist.gateway.chain import chain_from
from aiassist.gateway.config import DEFAULT_ANTHROPIC_MODEL, ChainPolicy, GatewayConfig
from aiassist.gateway.reach import reach_of
from aiassist.gateway.types import Reach
from tenancy.scope import tenant_scope
from tests.aiassist.gateway.loopback import loopback, refuses
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request
from tests.aiassist.gateway.wires import OPENAI
from tests.people import Person


@pytest.fixture(autouse=True)
def nothing_configured(settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    settings.OPENAI_MODEL = "gpt-x"
    settings.ANTHROPIC_API_KEY = ""
    settings.ANTHROPIC_BASE_URL = ""
    settings.ANTHROPIC_MODEL = ""
    settings.LOCAL_LLM_BASE_URL = ""
    settings.LOCAL_LLM_MODEL = "small"


def test_from_settings_knows_no_provider_by_default() -> None:
    config = GatewayConfig.from_settings()
    assert (config.openai, config.anthropic, config.local) == (None, None, None)
    assert config.policy == ChainPolicy(), "feature A1's figures are the defaults of the environment too"


def test_from_settings_hides_the_key(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-secret"
    config = GatewayConfig.from_settings()
    assert config.openai is not None
    assert config.openai.api_key == "sk-secret"
    assert "sk-secret" not in repr(config)


def test_from_settings_takes_anthropics_own_address_and_model(settings: Settings) -> None:
    settings.ANTHROPIC_API_KEY = "sk-ant-secret"
    config = GatewayConfig.from_settings()
    assert config.anthropic is not None
    assert (config.anthropic.base_url, config.anthropic.model) == ("https://api.anthropic.com", DEFAULT_ANTHROPIC_MODEL)
    assert "sk-ant-secret" not in repr(config)


def test_from_settings_reads_how_patient_the_chain_is(settings: Settings) -> None:
    settings.AI_ATTEMPTS = 2
    settings.AI_BACKOFF_BASE_SECONDS = 1.0
    settings.AI_BACKOFF_CAP_SECONDS = 3.0
    settings.AI_CALL_TIMEOUT_SECONDS = 7.0
    settings.AI_DEADLINE_SECONDS = 20.0
    assert GatewayConfig.from_settings().policy == ChainPolicy(2, 1.0, 3.0, 7.0, 20.0)


def test_chain_from_asks_openai_then_anthropic_then_the_local_server(settings: Settings, ada: Person) -> None:
    with (
        tenant_scope(ada.tenant.id),
        loopback(OPENAI.answers_json({"view": "WRONG"})) as first,
        loopback(refuses(400)) as second,
        loopback(OPENAI.answers_json(GOOD_ANSWER)) as third,
    ):
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-openai", first.url
        settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = "sk-ant", second.url.removesuffix("/v1")
        settings.LOCAL_LLM_BASE_URL = third.url
        chain = chain_from(GatewayConfig.from_settings(), reference="claim-1")
        answer = chain.ask(make_request(), external_allowed=True)
    assert (answer.provider, answer.model) == ("local", "served-model")
    assert answer.errors == ("openai:answer_breaks_schema", "anthropic:request_refused")
    assert third.requests[0]["model"] == "small"
    assert (first.keys, second.keys, third.keys) == (["Bearer sk-openai"], ["Bearer sk-ant"], ["Bearer none"])


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
