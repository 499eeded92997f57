"""Named values become numbers the same way in training and in scoring; the recipe is plain JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aiassist.fraud.table import Floats, Row, Value

# A level that fewer training cases have teaches its own accidents; it counts as "any other".
RAREST_LEVEL = 20


@dataclass(frozen=True)
class NumberColumn:
    """A number, standardised; missing ones stand at the median with a flag beside them."""

    name: str
    median: float
    mean: float
    scale: float
    may_miss: bool

    @property
    def width(self) -> int:
        return 2 if self.may_miss else 1

    def encoded(self, values: Sequence[Value]) -> list[Floats]:
        numbers = np.array([v if isinstance(v, int | float) else np.nan for v in values], dtype=np.float64)
        missing = np.isnan(numbers)
        standardised = (np.where(missing, self.median, numbers) - self.mean) / self.scale
        return [standardised, missing.astype(np.float64)] if self.may_miss else [standardised]


@dataclass(frozen=True)
class LevelColumn:
    """A category: one 0/1 column per level that is common enough."""

    name: str
    levels: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.levels)

    def encoded(self, values: Sequence[Value]) -> list[Floats]:
        levels = np.array([str(value) for value in values])
        return [(levels == level).astype(np.float64) for level in self.levels]


Column = NumberColumn | LevelColumn


@dataclass(frozen=True)
class Encoder:
    """The recipe: which values are read, and how."""

    columns: tuple[Column, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The name of the value behind each encoded column."""
        return tuple(column.name for column in self.columns for _ in range(column.width))

    def matrix(self, rows: Sequence[Row]) -> Floats:
        """Return one line of numbers per case."""
        parts = [part for column in self.columns for part in column.encoded([row.get(column.name) for row in rows])]
        return np.column_stack(parts) if parts else np.zeros((len(rows), 0), dtype=np.float64)

    def document(self) -> list[dict[str, Any]]:
        """Return the recipe as JSON holds it."""
        return [asdict(column) for column in self.columns]


def encoder_from(document: Sequence[Mapping[str, Any]]) -> Encoder:
    """Return the recipe that a stored document describes."""
    return Encoder(
        tuple(
            LevelColumn(entry["name"], tuple(entry["levels"])) if "levels" in entry else NumberColumn(**entry)
            for entry in document
        )
    )


def fitted_encoder(rows: Sequence[Row]) -> Encoder:
    """Return the recipe for the values these cases have; one that never varies is left out."""
    names = sorted({name for row in rows for name in row})
    columns = [_column(name, [row.get(name) for row in rows]) for name in names]
    return Encoder(tuple(column for column in columns if column is not None and column.width))


def _column(name: str, values: Sequence[float | str | None]) -> Column | None:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, int | float) for value in known):
        return _number_column(name, np.array(known, dtype=np.float64), may_miss=len(known) < len(values))
    counts = Counter(str(value) for value in known)
    levels = tuple(sorted(level for level, count in counts.items() if RAREST_LEVEL <= count < len(values)))
    return LevelColumn(name, levels)


def _number_column(name: str, numbers: Floats, *, may_miss: bool) -> NumberColumn | None:
    spread = float(numbers.std())
    if spread == 0.0 and not may_miss:
        return None
    median, mean, scale = (round(float(figure), 9) for figure in (np.median(numbers), numbers.mean(), spread or 1.0))
    return NumberColumn(name, median, mean, scale, may_miss)
