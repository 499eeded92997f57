"""A public table of vehicle claims (``fraud_oracle``: one row per claim of 1994–1996), read for evaluation."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aiassist.fraud.table import CaseTable, Row
from observability.errors import InvalidInput

LABEL, YEAR, MONTH = "FraudFound_P", "Year", "Month"
TRAINING_YEAR, TEST_YEAR = 1994, 1995
# No feature, ever; the card measures what that costs and whether flags fall on groups alike.
PROTECTED = ("Sex", "AgeOfPolicyHolder", "MaritalStatus")
MEASURED_GROUPS = (*PROTECTED, "AccidentArea")
# Age again in years; ids; the month, whose effect one year cannot tell from time itself; and supplements, which are
# handed in after a claim was first looked at.
LEFT_OUT = frozenset(
    {LABEL, YEAR, MONTH, *PROTECTED, "Age", "MonthClaimed", "PolicyNumber", "RepNumber", "NumberOfSuppliments"}
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def public_claims(path: Path) -> tuple[CaseTable, CaseTable]:
    """Return the cases of the training year and of the test year; raises InvalidInput for another kind of table."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = {LABEL, YEAR, MONTH, *MEASURED_GROUPS} - set(reader.fieldnames or ())
        if missing:
            raise InvalidInput(f"The table has no column {', '.join(sorted(missing))}.")
        claims = sorted(reader, key=lambda claim: (int(claim[YEAR]), _MONTHS.index(claim[MONTH])))
    return _table(claims, TRAINING_YEAR), _table(claims, TEST_YEAR)


def _table(claims: list[dict[str, str]], year: int) -> CaseTable:
    of_year = [claim for claim in claims if int(claim[YEAR]) == year]
    return CaseTable(
        rows=list(_rows(of_year)),
        labels=np.array([claim[LABEL] == "1" for claim in of_year], dtype=np.bool_),
        moments=np.array([_MONTHS.index(claim[MONTH]) for claim in of_year], dtype=np.float64),
        baseline=np.zeros(len(of_year), dtype=np.float64),
        groups={name: [claim[name] for claim in of_year] for name in MEASURED_GROUPS},
    )


def _rows(claims: list[dict[str, str]]) -> Iterator[Row]:
    for claim in claims:
        yield {name: value for name, value in claim.items() if name not in LEFT_OUT}
