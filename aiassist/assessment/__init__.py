"""The assessment: `run` takes a Dossier and gives an Opinion."""

from __future__ import annotations

from aiassist.assessment.pipeline import run

__all__ = ["run"]
