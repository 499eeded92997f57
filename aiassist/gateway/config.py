"""Settings of the provider chain as one value; the only place of the gateway that reads the project's settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

DEFAULT_OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_OPENAI_MODEL = "gpt-4o-mini"
DEFAULT_LOCAL_MODEL = "default"  # llama.cpp and most one-model servers ignore the name


@dataclass(frozen=True)
class ChainPolicy:
    """How patient the chain is. The figures are those of feature A1."""

    attempts_per_provider: int = 3
    backoff_base_seconds: float = 4.0
    backoff_cap_seconds: float = 10.0
    call_timeout_seconds: float = 30.0
    total_deadline_seconds: float = 90.0


@dataclass(frozen=True)
class EndpointConfig:
    """One server that speaks the chat-completions protocol."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class GatewayConfig:
    """Which providers there are (None: not configured), and how patient the chain is."""

    openai: EndpointConfig | None = None
    local: EndpointConfig | None = None
    policy: ChainPolicy = field(default_factory=ChainPolicy)

    @classmethod
    def from_settings(cls) -> GatewayConfig:
        """Read OPENAI_*, LOCAL_LLM_* and AI_DEADLINE_SECONDS; what is empty is not configured."""
        openai_key = _setting("OPENAI_API_KEY")
        local_url = _setting("LOCAL_LLM_BASE_URL")
        deadline = float(getattr(settings, "AI_DEADLINE_SECONDS", ChainPolicy.total_deadline_seconds))
        return cls(
            openai=EndpointConfig(
                base_url=_setting("OPENAI_BASE_URL") or DEFAULT_OPENAI_URL,
                model=_setting("OPENAI_MODEL") or DEFAULT_OPENAI_MODEL,
                api_key=openai_key,
            )
            if openai_key
            else None,
            local=EndpointConfig(
                base_url=local_url,
                model=_setting("LOCAL_LLM_MODEL") or DEFAULT_LOCAL_MODEL,
                api_key=_setting("LOCAL_LLM_API_KEY"),
            )
            if local_url
            else None,
            policy=ChainPolicy(total_deadline_seconds=deadline),
        )


def _setting(name: str) -> str:
    return str(getattr(settings, name, "") or "").strip()
