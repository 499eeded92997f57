"""How good the assessment is on held-back rendered clips: `python -m benchmarks.assessment [--clips 120]`.

Prints one JSON line, with the floors and whether they hold. The seeds are those of the purpose "test", from which
neither training nor calibration draws; nothing is tuned on them. Counts stand beside every share, so that its
uncertainty can be seen.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import benchmarks.in_django  # noqa: F401  # before the engine is imported

# isort: split
from aiassist.assessment.conformal import COVERAGE_TARGET
from aiassist.assessment.examples import Example, rendered_examples
from aiassist.assessment.fault import fault_opinion
from aiassist.assessment.rendered_sets import balanced_specs, edited_specs, quiet_specs
from aiassist.assessment.severity import LABELS, load_model, predict_severity, severity_opinion
from aiassist.rendering.sampling import seed_range
from aiassist.rendering.scenario import ClipKind
from aiassist.types import HazardKind, IntegrityCode, Scenario, Severity, SeverityOpinion

IMPACT_TOLERANCE_SECONDS = 0.5
CUT_TOLERANCE_SECONDS = 0.2
NO_DRIVE = {ClipKind.BLACK, ClipKind.TEST_CARD}

# What the assessment has to reach (at least) or stay under (at most).
AT_LEAST = {
    "impact_recall": 0.95,
    "cut_recall": 0.98,
    "severity_accuracy": 0.80,
    "severity_within_one": 0.98,
    "scenario_accuracy": 0.75,
}
AT_MOST = {
    "impact_false_share": 0.05,
    "impact_error_median_seconds": 0.10,
    "impact_error_p95_seconds": 0.35,
    "false_cut_share": 0.02,
    "mean_set_size": 1.6,
}
COVERAGE_ERRORS = 3.0  # a class may lie this many standard errors under the promised coverage


@dataclass(frozen=True)
class Judged:
    """A clip with what the engine says about it."""

    example: Example
    severity: SeverityOpinion
    scenario: Scenario


def main() -> None:
    """Render, measure, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=120, help="balanced over the four severities")
    parser.add_argument("--quiet", type=int, default=40, help="more clips without an impact")
    parser.add_argument("--edited", type=int, default=20, help="spliced, frozen, looped, black, test card")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "claimwright-clips")
    options = parser.parse_args()
    specs = (*balanced_specs("test", options.clips), *quiet_specs("test", options.quiet))
    drives = list(rendered_examples(specs, options.folder))
    edited = list(rendered_examples(edited_specs("test", options.edited), options.folder))
    found = figures(drives, edited)
    print(json.dumps({**found, "floors": {**AT_LEAST, **AT_MOST, "coverage": COVERAGE_TARGET}, "holds": holds(found)}))


def figures(drives: Sequence[Example], edited: Sequence[Example]) -> dict[str, object]:
    """Return every figure of the benchmark."""
    judged = [_judge(example) for example in drives if example.measurements.not_assessable_reason is None]
    return {
        "benchmark": "assessment",
        "model": load_model().version,
        "seeds_from": seed_range("test").start,
        "clips": len(drives),
        "wrongly_refused": len(drives) - len(judged),
        **severity_figures(judged),
        **scenario_figures(judged),
        **impact_figures(drives),
        **edit_figures([*drives, *edited]),
    }


def holds(found: Mapping[str, object]) -> dict[str, bool]:
    """Return for every floor whether it is kept; what could not be measured is not kept."""
    kept = {name: isinstance(share := found[name], float) and share >= floor for name, floor in AT_LEAST.items()}
    kept |= {name: isinstance(share := found[name], float) and share <= floor for name, floor in AT_MOST.items()}
    covered: dict[str, list[int]] = found["coverage_by_class"]  # type: ignore[assignment]  # made by severity_figures
    return kept | {f"coverage_{label}": covers(hit, of) for label, (hit, of) in covered.items()}


def covers(hit: int, of: int) -> bool:
    """Tell whether a class is covered as promised, within what so few clips can tell."""
    error = math.sqrt(COVERAGE_TARGET * (1.0 - COVERAGE_TARGET) / of)
    return hit / of >= COVERAGE_TARGET - COVERAGE_ERRORS * error


def _judge(example: Example) -> Judged:
    model = load_model()
    prediction = predict_severity(example.measurements, model)
    severity = severity_opinion(prediction, model, cap_confidence=False, raised=None)
    return Judged(example, severity, fault_opinion(example.measurements, jurisdiction=None).scenario)


def severity_figures(judged: Sequence[Judged]) -> dict[str, object]:
    """Accuracy, within one class, coverage per class with the size of the sets."""
    pairs = [(item.example.truth.severity, item.severity) for item in judged]
    steps = [abs(LABELS.index(truth) - LABELS.index(said.label or Severity.NONE)) for truth, said in pairs]
    covered = {
        label.value: [sum(truth in said.prediction_set for truth, said in rows), len(rows)]
        for label in LABELS
        if (rows := [pair for pair in pairs if pair[0] is label])
    }
    confusion = {
        label.value: [sum(truth is label and said.label is other for truth, said in pairs) for other in LABELS]
        for label in LABELS
    }
    return {
        "severity_accuracy": _share(step == 0 for step in steps),
        "severity_within_one": _share(step <= 1 for step in steps),
        "coverage_by_class": covered,
        "mean_set_size": round(float(np.mean([len(said.prediction_set) for _, said in pairs])), 3),
        "largest_set": max((len(said.prediction_set) for _, said in pairs), default=0),
        "confusion_true_by_said": confusion,
        "unfamiliar": sum(not said.calibrated for _, said in pairs),
    }


def scenario_figures(judged: Sequence[Judged]) -> dict[str, object]:
    """How often the scenario is right among clips with an event."""
    events = [item for item in judged if item.example.truth.scenario is not Scenario.NO_EVENT]
    wrong: dict[str, int] = {}
    for item in events:
        if item.scenario is not item.example.truth.scenario:
            key = f"{item.example.truth.scenario.value} as {item.scenario.value}"
            wrong[key] = wrong.get(key, 0) + 1
    return {
        "scenario_accuracy": _share(item.scenario is item.example.truth.scenario for item in events),
        "scenario_clips": len(events),
        "scenario_wrong": wrong,
    }


def impact_figures(examples: Sequence[Example]) -> dict[str, object]:
    """Impacts on the insured vehicle: found in time, with what error, and reported where there is none."""
    errors, struck, false = [], 0, []
    for example in examples:
        at = example.truth.impact_seconds
        found = [hazard for hazard in example.measurements.hazards if hazard.kind is HazardKind.IMPACT]
        if at is None:
            false.append(bool(found))
            continue
        struck += 1
        nearest = min((abs(hazard.start_seconds - at) for hazard in found), default=float("inf"))
        if nearest <= IMPACT_TOLERANCE_SECONDS:
            errors.append(nearest)
    return {
        "impact_recall": round(len(errors) / struck, 4) if struck else None,
        "impact_found": len(errors),
        "impact_clips": struck,
        "impact_false_share": _share(false),
        "impact_false_clips": sum(false),
        "no_impact_clips": len(false),
        "impact_error_median_seconds": round(float(np.median(errors)), 3) if errors else None,
        "impact_error_p95_seconds": round(float(np.percentile(errors, 95)), 3) if errors else None,
    }


def edit_figures(examples: Sequence[Example]) -> dict[str, object]:
    """Cuts found and invented; black clips and test cards refused."""
    cuts, found, uncut_flagged = 0, 0, []
    for example in examples:
        flags = [flag for flag in example.measurements.integrity if flag.code is IntegrityCode.EDIT_CUT]
        times = [flag.start_seconds for flag in flags if flag.start_seconds is not None]
        cuts += len(example.truth.cuts_seconds)
        found += sum(
            any(abs(time - cut) <= CUT_TOLERANCE_SECONDS for time in times) for cut in example.truth.cuts_seconds
        )
        if not example.truth.cuts_seconds and example.spec.kind not in NO_DRIVE:
            uncut_flagged.append(bool(flags))
    no_drive = [example for example in examples if example.spec.kind in NO_DRIVE]
    return {
        "cut_recall": round(found / cuts, 4) if cuts else None,
        "cuts": cuts,
        "false_cut_share": _share(uncut_flagged),
        "uncut_clips": len(uncut_flagged),
        "no_drive_refused": [
            sum(example.measurements.not_assessable_reason is not None for example in no_drive),
            len(no_drive),
        ],
    }


def _share(found: Iterable[bool]) -> float | None:
    values = list(found)
    return round(sum(values) / len(values), 4) if values else None


if __name__ == "__main__":
    main()
