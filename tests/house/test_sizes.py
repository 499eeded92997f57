"""Small by measure: the figures of code that engineers like to live in."""

from __future__ import annotations

import ast

from tests.house.source import FLOORS, files_of, functions_in, length_of, name_of, tree_of

LONGEST_FUNCTION, LONGEST_90TH, LONGEST_FILE, LONGEST_VIEW = 60, 30, 500, 25


def _functions() -> list[tuple[int, str]]:
    return sorted(
        (length_of(node), f"{name_of(path)}:{node.lineno} {node.name}")
        for path in files_of(*FLOORS)
        for node in functions_in(tree_of(path))
    )


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert [f for f in _functions() if f[0] > LONGEST_FUNCTION] == []


def test_nine_of_ten_functions_fit_thirty_lines() -> None:
    lengths = [length for length, _ in _functions()]
    assert lengths[int(len(lengths) * 0.9)] <= LONGEST_90TH


def test_no_view_method_is_longer_than_twenty_five_lines() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} {length_of(node)}"
        for path in files_of("claims", "reviews", "tenancy")
        if path.stem in {"api", "views"} or path.parent.name in {"api", "views"}
        for node in functions_in(tree_of(path))
        if length_of(node) > LONGEST_VIEW
    ]
    assert long == []


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    sizes = {name_of(p): p.read_text(encoding="utf-8").count("\n") for p in files_of(*FLOORS, "tests", "benchmarks")}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "common", "misc"}
    assert [name_of(p) for p in files_of(*FLOORS, "tests") if p.stem in drawers or p.parent.name in drawers] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(p)
        for p in files_of(*FLOORS)
        if p.name not in {"__init__.py", "apps.py"} and not ast.get_docstring(tree_of(p))
    ]
    assert silent == []
