"""Settings of the provider chain as one value; the only place of the gateway that reads the project's settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

DEFAULT_OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_OPENAI_MODEL = "gpt-4o-mini"
DEFAULT_ANTHROPIC_URL = "https://api.anthropic.com"
DEFAULT_ANTHROPIC_MODEL = "claude-haiku-4-5"  # the maker's choice for fast, cheap tasks; sees pictures
DEFAULT_LOCAL_MODEL = "default"  # llama.cpp and most one-model servers ignore the name


@dataclass(frozen=True)
class ChainPolicy:
    """How patient the chain is. The first pause is drawn from 0 to the base, each further one from twice as much."""

    attempts_per_provider: int = 3
    backoff_base_seconds: float = 4.0
    backoff_cap_seconds: float = 10.0
    call_timeout_seconds: float = 30.0
    total_deadline_seconds: float = 90.0


@dataclass(frozen=True)
class EndpointConfig:
    """One server and the model to ask for there."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class GatewayConfig:
    """Which providers there are (None: not configured), and how patient the chain is."""

    openai: EndpointConfig | None = None
    anthropic: EndpointConfig | None = None
    local: EndpointConfig | None = None
    policy: ChainPolicy = field(default_factory=ChainPolicy)

    @classmethod
    def from_settings(cls) -> GatewayConfig:
        """Read OPENAI_*, ANTHROPIC_*, LOCAL_LLM_* and AI_*; what is empty is not configured."""
        return cls(
            openai=_hosted("OPENAI", url=DEFAULT_OPENAI_URL, model=DEFAULT_OPENAI_MODEL),
            anthropic=_hosted("ANTHROPIC", url=DEFAULT_ANTHROPIC_URL, model=DEFAULT_ANTHROPIC_MODEL),
            local=_local(),
            policy=_policy(),
        )


def is_configured(name: str) -> bool:
    """Whether the named provider is set up here."""
    return getattr(GatewayConfig.from_settings(), name) is not None


def _hosted(prefix: str, *, url: str, model: str) -> EndpointConfig | None:
    """Return a provider that is configured by its key."""
    key = _setting(f"{prefix}_API_KEY")
    if not key:
        return None
    return EndpointConfig(_setting(f"{prefix}_BASE_URL") or url, _setting(f"{prefix}_MODEL") or model, key)


def _local() -> EndpointConfig | None:
    """Return the server that is configured by its address."""
    url = _setting("LOCAL_LLM_BASE_URL")
    if not url:
        return None
    return EndpointConfig(url, _setting("LOCAL_LLM_MODEL") or DEFAULT_LOCAL_MODEL, _setting("LOCAL_LLM_API_KEY"))


def _policy() -> ChainPolicy:
    return ChainPolicy(
        attempts_per_provider=settings.AI_ATTEMPTS,
        backoff_base_seconds=settings.AI_BACKOFF_BASE_SECONDS,
        backoff_cap_seconds=settings.AI_BACKOFF_CAP_SECONDS,
        call_timeout_seconds=settings.AI_CALL_TIMEOUT_SECONDS,
        total_deadline_seconds=settings.AI_DEADLINE_SECONDS,
    )


def _setting(name: str) -> str:
    return str(getattr(settings, name, "") or "").strip()
