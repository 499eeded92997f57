"""What the documents name is there: test files and functions, other files, commands, benchmarks, markers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
FLOORS = ("aiassist", "benchmarks", "claims", "config", "deploy", "docs", "observability", "reviews", "templates")
_PATH = re.compile(rf"(?<![\w./-])((?:tests|tenancy|{'|'.join(FLOORS)})/[\w./{{}},-]*\w[}}/]?)(?:::(\w+))?")
_VERB = re.compile(r"manage\.py\s+([a-z_]+)")
_MODULE = re.compile(r"python -m ((?:benchmarks|tests)(?:\.[a-z_]+)+)")
_MARK = re.compile(r"(?:pytest|T)[^`\n]* -m \"?([a-z_]+)")
_GROUP = re.compile(r"\{([^{}]*)\}")


def spread(text: str) -> list[str]:
    """Return the paths that the shell would make of `a/{b,c}.py`."""
    pieces = _GROUP.split(text)
    choices = [piece.split(",") if at % 2 else [piece] for at, piece in enumerate(pieces)]
    return ["".join(chosen) for chosen in product(*choices)]


def named_paths(text: str) -> Iterator[tuple[str, str]]:
    """Yield each path with the function that is named behind `::`, if any."""
    for found in _PATH.finditer(text):
        for path in spread(found[1]):
            yield path.rstrip("/"), found[2] or ""


def missing_in(text: str) -> list[str]:
    """Return what the text names and the project does not have."""
    missing = []
    for path, function in named_paths(text):
        there = ROOT / path
        # Without an ending it may be a module, as in "claims/services receive"; patterns are for a shell to fill in.
        if not (there.exists() or there.with_suffix(".py").exists() or list(ROOT.glob(path))):
            missing.append(path)
        elif function and function not in _functions(there):
            missing.append(f"{path}::{function}")
    missing += [f"manage.py {verb}" for verb in _VERB.findall(text) if verb not in get_commands()]
    missing += [module for module in _MODULE.findall(text) if not _is_module(module)]
    return missing + [f"-m {mark}" for mark in _MARK.findall(text) if mark not in _marks()]


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def _marks() -> set[str]:
    given = re.search(r"^markers = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert given is not None
    return {"not", *re.findall(r'^\s*"(\w+)', given[1], re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert missing_in(page.read_text()) == []


def test_what_is_not_there_is_found() -> None:
    text = "`T tests/house/test_{documents,nothing}.py`, `tests/house/test_documents.py::spread`, `manage.py fly`, "
    text += "`tests/house/test_documents.py::gone`, `python -m benchmarks.nothing`, `pytest -m nothing`, `claims/no.py`"
    assert missing_in(text) == [
        "tests/house/test_nothing.py",
        "tests/house/test_documents.py::gone",
        "claims/no.py",
        "manage.py fly",
        "benchmarks.nothing",
        "-m nothing",
    ]
