"""Periodic work of the opinion engine's floor."""

from __future__ import annotations

from aiassist.gateway.remembering_provider import forget_expired_answers
from observability.timers import register_timer

# A day's answers go within the hour they expire in; oftener would only write more.
register_timer("aiassist.forget_answers", 3600.0, forget_expired_answers)
