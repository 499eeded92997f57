"""What the house forbids is not there: unsafe HTML, inline code, prints, swallowed errors, forgotten migrations."""

from __future__ import annotations

import ast
import re

import pytest
from django.core.management import call_command

from tests.house.source import FLOORS, ROOT, files_of, name_of, tree_of

_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style\b|\sstyle=|\son[a-z]+=", re.IGNORECASE
)


def test_templates_hold_no_inline_script_or_style() -> None:
    pages = [p for p in (ROOT / "templates").rglob("*") if p.suffix in {".html", ".svg", ".txt"}]
    wrong = [f"{name_of(p)}: {m[0]}" for p in pages for m in _INLINE.finditer(p.read_text(encoding="utf-8"))]
    assert wrong == []


def test_nothing_marks_html_as_safe() -> None:
    called = {"mark_safe", "SafeString"}
    wrong = [
        f"{name_of(p)}:{n.lineno}"
        for p in files_of(*FLOORS)
        for n in ast.walk(tree_of(p))
        if isinstance(n, ast.Name) and n.id in called
    ]
    pages = [p for p in (ROOT / "templates").rglob("*.html") if "|safe" in p.read_text(encoding="utf-8")]
    assert wrong == [] and pages == []


def test_no_error_is_swallowed_whole() -> None:
    wrong = []
    for path in files_of(*FLOORS):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                reraised = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if caught in {"everything", "Exception", "BaseException"} and not reraised:
                    wrong.append(f"{name_of(path)}:{node.lineno} catches {caught}")
    assert wrong == []


def test_no_signals_between_apps() -> None:
    wrong = [
        name_of(p)
        for p in files_of("tenancy", "aiassist", "claims", "reviews")
        for n in ast.walk(tree_of(p))
        if isinstance(n, ast.ImportFrom)
        and (n.module or "").startswith(("django.db.models.signals", "django.dispatch"))
    ]
    assert wrong == []


@pytest.mark.django_db
def test_no_migration_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)
    assert "No changes detected" in capsys.readouterr().out
