"""Trains the bundled models (severity with its calibration, scenario) on rendered clips: `manage.py train_severity`."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import BaseCommand

from aiassist.assessment.card import card_text, counted
from aiassist.assessment.examples import Example, rendered_examples
from aiassist.assessment.features import scenario_features, severity_features
from aiassist.assessment.rendered_sets import balanced_specs, quiet_specs
from aiassist.assessment.scenario_model import SCENARIO_PATH
from aiassist.assessment.scenario_training import ScenarioCase, TrainedScenario, train_scenario, write_scenario_model
from aiassist.assessment.severity import MODEL_PATH
from aiassist.assessment.training import Case, train_severity, write_model
from aiassist.rendering.sampling import Purpose

CARD_NAME = "CARD.md"
# One quiet clip on top for every five balanced ones: there are eight ways in which nothing happens.
QUIET_SHARE = 5


class Command(BaseCommand):
    help = (
        "Renders clips, measures them, learns severity and scenario from their truth, writes both models and the card."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--training", type=int, default=200, help="clips to learn from, a fifth on top")
        parser.add_argument("--calibration", type=int, default=160, help="clips to calibrate on")
        parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "claimwright-clips")
        parser.add_argument("--output", type=Path, default=MODEL_PATH)

    def handle(self, *args: object, **options: object) -> None:
        training_count, calibration_count = int(str(options["training"])), int(str(options["calibration"]))
        folder, output = Path(str(options["folder"])), Path(str(options["output"]))
        training = self._examples("train", training_count, folder)
        calibration = self._examples("calibrate", calibration_count, folder)
        usable = [_assessable(examples) for examples in (training, calibration)]
        trained = train_severity(*(_cases(examples) for examples in usable))
        command = f"python manage.py train_severity --training {training_count} --calibration {calibration_count}"
        write_model(trained.model, output, trained={"command": command, "strength": trained.strength})
        scenario = self._train_scenario(usable[0], output.parent / SCENARIO_PATH.name, command)
        counts = {
            "training": counted(usable[0]),
            "calibration": counted(usable[1]),
            "left_out": len(training) + len(calibration) - len(usable[0]) - len(usable[1]),
        }
        card = card_text(trained, scenario, counts=counts, command=command)
        (output.parent / CARD_NAME).write_text(card, encoding="utf-8")
        self.stdout.write(f"{output} written: {counts}, penalty {trained.strength:g}")

    def _train_scenario(self, training: Sequence[Example], output: Path, command: str) -> TrainedScenario:
        """Learn on the training clips alone: the scenario carries no promise that calibration clips are needed for."""
        trained = train_scenario(
            [ScenarioCase(scenario_features(example.measurements), example.truth.scenario) for example in training]
        )
        write_scenario_model(trained.model, output, trained={"command": command, "strength": trained.strength})
        return trained

    def _examples(self, purpose: Purpose, count: int, folder: Path) -> list[Example]:
        specs = (*balanced_specs(purpose, count), *quiet_specs(purpose, count // QUIET_SHARE))
        examples = []
        for example in rendered_examples(specs, folder):
            examples.append(example)
            if len(examples) % 20 == 0:
                self.stderr.write(f"{purpose}: {len(examples)} of {len(specs)} clips")
        return examples


def _assessable(examples: Sequence[Example]) -> list[Example]:
    """Leave out what the pipeline would hand to a person without a severity."""
    return [example for example in examples if example.measurements.not_assessable_reason is None]


def _cases(examples: Sequence[Example]) -> list[Case]:
    return [Case(severity_features(example.measurements), example.truth.severity) for example in examples]
