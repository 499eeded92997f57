"""The provider chain: `chain_from(GatewayConfig.from_settings(), reference=…)` is what callers use."""

from __future__ import annotations

from aiassist.gateway.chain import ProviderChain, chain_from
from aiassist.gateway.config import GatewayConfig

__all__ = ["GatewayConfig", "ProviderChain", "chain_from"]
