"""The card of the learned models: what they learned from, how they fare, and the command that makes them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiassist.assessment.examples import Example
from aiassist.assessment.scenario_training import TrainedScenario
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

# Scenario model {scenario_version}

Multinomial logistic regression over {scenario_features} measured features, learned on the same training clips (penalty
{scenario_strength:g}; right on {scenario_accuracy:.1%} of them when held out in five-fold cross-validation, calm drives
included).
It chooses only among the scenarios that the measured events allow, and it stays silent where a feature lies far outside
the training range; the rules then read the cues alone. A vehicle that cuts in is mostly read as a rear-end collision or
as nothing: without a detector nothing measured tells where the vehicle ahead came from. HEAD_ON, LANE_CHANGE and
SINGLE_VEHICLE were not rendered and are never the answer.

Known limits: the renderer's camera, sound and vehicles are simpler than the world; damage that happens without a jolt
or a change of speed is not seen; severity between neighbouring classes is often uncertain, and then both are in the
set.
"""


def card_text(
    trained: Trained, scenario: TrainedScenario, *, counts: Mapping[str, object], command: str, result: str = ""
) -> str:
    """Return the card as Markdown."""
    return _CARD.format(
        version=trained.model.version,
        features=len(trained.model.scales),
        names=", ".join(f"`{scale.name}`" for scale in trained.model.scales),
        strength=trained.strength,
        temperature=trained.temperature,
        scenario_version=scenario.model.version,
        scenario_features=len(scenario.model.scales),
        scenario_strength=scenario.strength,
        scenario_accuracy=scenario.cross_validated_accuracy,
        command=command,
        result=f"\n\n```json\n{result}\n```" if result else ".",
        **counts,
    )


def counted(examples: Sequence[Example]) -> str:
    """Return how many clips of each true severity there are, in words."""
    found = [sum(example.truth.severity is label for example in examples) for label in LABELS]
    parts = ", ".join(f"{count} {label.value}" for count, label in zip(found, LABELS, strict=True))
    return f"{len(examples)} ({parts})"
