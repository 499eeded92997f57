"""What comes in when claims are put on hold or erased."""

from __future__ import annotations

from tenancy.inputs import JSONBoolean, StrictSerializer, TextField

LONGEST_REASON = 500
_KEPT = "Kept in the history, also after an erasure: name no person."


class LegalHoldBody(StrictSerializer):
    held = JSONBoolean(help_text="false lifts the hold.")
    reason = TextField(max_length=LONGEST_REASON, help_text=_KEPT)


class EraseBody(StrictSerializer):
    reason = TextField(max_length=LONGEST_REASON, required=False, default="", allow_blank=True, help_text=_KEPT)
