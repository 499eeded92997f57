"""Imports go down a floor, never up; string references to models and tasks count as imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import FLOORS, files_of, name_of, tree_of

MAY_IMPORT = {
    "observability": set(),
    "tenancy": {"observability"},
    "aiassist": {"tenancy", "observability"},
    "claims": {"aiassist", "tenancy", "observability"},
    "reviews": {"claims", "aiassist", "tenancy", "observability"},
    "config": set(FLOORS),
}
# Reviews may know the words of the opinion engine, not its rooms.
REVIEWS_SEE_OF_AIASSIST = {"aiassist.types"}
_REFERENCE = re.compile(rf"^({'|'.join(FLOORS)})\.[A-Za-z_][\w.]*$")
# Where a text that looks like a reference is one: Django resolves it to code.
_RESOLVING_CALLS = {"ForeignKey", "OneToOneField", "ManyToManyField", "get_model", "import_string", "include"}


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Call) and _called(node) in _RESOLVING_CALLS:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and _REFERENCE.match(str(argument.value)):
                    yield node.lineno, str(argument.value)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_only_floors_below_it(floor: str) -> None:
    wrong = []
    for path in files_of(floor):
        for line, module in _imports(tree_of(path)):
            target = module.split(".")[0]
            if target in FLOORS and target != floor and target not in MAY_IMPORT[floor]:
                wrong.append(f"{name_of(path)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_nobody_imports_the_composition_root() -> None:
    wrong = [
        f"{name_of(path)}:{line}"
        for path in files_of(*(f for f in FLOORS if f != "config"))
        for line, module in _imports(tree_of(path))
        if module.split(".")[0] == "config"
    ]
    assert not wrong, wrong


def test_reviews_know_only_the_words_of_the_opinion_engine() -> None:
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in files_of("reviews")
        for line, module in _imports(tree_of(path))
        if module.startswith("aiassist") and module not in REVIEWS_SEE_OF_AIASSIST
    ]
    assert not wrong, wrong


def test_measuring_and_rendering_know_no_framework() -> None:
    """A decoding child must start fast and can hold no connection to the database."""
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in files_of("aiassist/video", "aiassist/rendering")
        for line, module in _imports(tree_of(path))
        if module.split(".")[0] in {"django", "rest_framework", "celery", "tenancy"}
    ]
    assert not wrong, wrong


def test_each_sdk_has_one_adapter_file() -> None:
    homes: dict[str, set[str]] = {
        sdk: set() for sdk in ("openai", "anthropic", "httpx2", "sentry_sdk", "chromadb", "opentelemetry")
    }
    for path in files_of(*FLOORS):
        for _line, module in _imports(tree_of(path)):
            sdk = module.split(".")[0]
            if sdk in homes:
                homes[sdk].add(name_of(path))
    crowded = {sdk: files for sdk, files in homes.items() if len(files) > 1}
    assert not crowded, crowded


def test_the_root_holds_only_what_the_house_lists(request: pytest.FixtureRequest) -> None:
    root = Path(str(request.config.rootpath))
    allowed = set(FLOORS) | {
        "manage.py", "templates", "static", "tests", "requirements.txt", "README.md", "pyproject.toml",
        "deploy", "docs", "benchmarks", "locale", "LICENSE",
    }  # fmt: skip
    there = {p.name for p in root.iterdir() if not p.name.startswith(".") and p.name != "__pycache__"}
    assert there <= allowed, there - allowed
