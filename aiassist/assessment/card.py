"""The card of the severity model: what it learned from, how it fares, and the command that makes it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiassist.assessment.examples import Example
from aiassist.assessment.severity import LABELS
from aiassist.assessment.training import Trained

_CARD = """# Severity model {version}

Multinomial logistic regression over {features} measured features of a video, evaluated with NumPy. It suggests the
severity of the impact on the insured vehicle by its change of speed (NONE no impact on it, LOW < 8 km/h,
MEDIUM 8–25 km/h, HIGH > 25 km/h). A suggestion for a person, never a decision.

Made by `{command}`.

- Data: clips rendered by this project's own renderer, whose simulation knows the truth. No real crash was used.
- Training clips: {training}. Calibration clips (other seeds): {calibration}.
- Clips that were measured as not assessable and therefore left out: {left_out}.
- Chosen by cross-validation inside the training clips: penalty {strength:g}, temperature {temperature:g}.
- Features read: {names}.
- Prediction sets: Mondrian split conformal at 90 %, per class. The promise holds for clips like the rendered ones
  (`calibration_source: RENDERED`). For real videos it is an orientation; features far outside the training range switch
  the promise off and cap the confidence.
- How it fares on clips it has never seen: `python -m benchmarks.assessment`{result}

Known limits: the renderer's camera, sound and vehicles are simpler than the world; damage that happens without a jolt
or a change of speed is not seen; severity between neighbouring classes is often uncertain, and then both are in the
set.
"""


def card_text(trained: Trained, *, counts: Mapping[str, object], command: str, result: str = "") -> str:
    """Return the card as Markdown."""
    return _CARD.format(
        version=trained.model.version,
        features=len(trained.model.scales),
        names=", ".join(f"`{scale.name}`" for scale in trained.model.scales),
        strength=trained.strength,
        temperature=trained.temperature,
        command=command,
        result=f"\n\n```json\n{result}\n```" if result else ".",
        **counts,
    )


def counted(examples: Sequence[Example]) -> str:
    """Return how many clips of each true severity there are, in words."""
    found = [sum(example.truth.severity is label for example in examples) for label in LABELS]
    parts = ", ".join(f"{count} {label.value}" for count, label in zip(found, LABELS, strict=True))
    return f"{len(examples)} ({parts})"
