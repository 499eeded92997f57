"""Every tenant filter that the code writes down, found in its syntax trees, and the code without it."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tests.house.source import FLOORS, ROOT, files_of, tree_of

_NARROWING = {"filter", "get", "exclude", "Q", "get_or_create", "update_or_create", "get_object_or_404"}
_TENANT = {"tenant", "tenant_id", "tenant_ref"}


@dataclass(frozen=True)
class TenantFilter:
    """One keyword of one call, in a top-level function or a method."""

    path: Path
    function: str
    line: int
    column: int
    model: str  # as far as the call says

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line} {self.function}"

    def live(self) -> FunctionType:
        """Return the function that runs."""
        relative = self.path.relative_to(ROOT).with_suffix("")
        parts = [part for part in relative.parts if part != "__init__"]
        found: Any = import_module(".".join(parts))
        for name in self.function.split("."):
            found = inspect.getattr_static(found, name)
        found = getattr(found, "fget", None) or getattr(found, "__func__", found)
        function = inspect.unwrap(found)
        assert isinstance(function, FunctionType), self
        return function


def tenant_filters() -> list[TenantFilter]:
    """Return them all, in the order of the files."""
    return [found for path in files_of(*FLOORS) for found in _in_tree(path, tree_of(path))]


def _in_tree(path: Path, tree: ast.Module) -> Iterator[TenantFilter]:
    for top in tree.body:
        members = top.body if isinstance(top, ast.ClassDef) else [top]
        before = f"{top.name}." if isinstance(top, ast.ClassDef) else ""
        for function in members:
            if isinstance(function, ast.FunctionDef):
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and _narrows(call):
                        yield from (
                            TenantFilter(path, before + function.name, k.lineno, k.col_offset, _root_of(call))
                            for k in call.keywords
                            if k.arg in _TENANT
                        )


def _narrows(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in _NARROWING


def _root_of(call: ast.Call) -> str:
    node: ast.expr = call
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


@contextmanager
def without(filters: Sequence[TenantFilter]) -> Iterator[None]:
    """Run the code as if these filters had been forgotten."""
    with ExitStack() as stack:
        for function in {f.live() for f in filters}:
            stack.callback(setattr, function, "__code__", function.__code__)
        for path in {f.path for f in filters}:
            here = [f for f in filters if f.path == path]
            module = compile(_stripped(tree_of(path), here), str(path), "exec")
            for found in here:
                found.live().__code__ = _code_named(module, found.function)
        yield


def _stripped(tree: ast.Module, filters: Sequence[TenantFilter]) -> ast.Module:
    places = {(f.line, f.column) for f in filters}
    tree = copy.deepcopy(tree)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            call.keywords = [k for k in call.keywords if not (k.arg in _TENANT and (k.lineno, k.col_offset) in places)]
    return tree


def _code_named(code: CodeType, name: str) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name:
                return constant
            if name.startswith(f"{constant.co_qualname}."):
                return _code_named(constant, name)
    raise LookupError(name)
