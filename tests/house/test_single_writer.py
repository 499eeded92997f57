"""`claims/workflow.py` alone writes `Claim.status`; the trail and the ledger have one writer each."""

from __future__ import annotations

import ast

import pytest

from tests.house.source import FLOORS, files_of, name_of, tree_of

STATUS_WRITER = "claims/workflow.py"
AUDIT_WRITER = "tenancy/audit.py"
SEAL_WRITER = "tenancy/trail/sealing.py"
SEAL_ROWS = ("AuditPlace", "AuditNode", "AuditSeal", "AuditHead", "AuditUnsealed")
LEDGER_WRITER = "tenancy/ledger.py"
_WRITING_CALLS = {"update", "create", "get_or_create", "update_or_create", "Claim"}
_ROW_CALLS = {"create", "bulk_create", "insert_all", "update", "delete"}


def test_only_the_workflow_writes_a_claims_status() -> None:
    wrong = []
    for path in files_of("claims", "reviews", "config", "aiassist", "tenancy"):
        if name_of(path) == STATUS_WRITER:
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                wrong += [
                    f"{name_of(path)}:{node.lineno}"
                    for target in targets
                    if isinstance(target, ast.Attribute)
                    and target.attr == "status"
                    and "claim" in ast.dump(target.value)
                ]
            if isinstance(node, ast.Call) and _writes_claim_status(node):
                wrong.append(f"{name_of(path)}:{node.lineno}")
    assert not wrong, wrong


def _writes_claim_status(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    has_status = any(keyword.arg == "status" for keyword in node.keywords)
    return has_status and name in _WRITING_CALLS and "'Claim'" in ast.dump(node.func)


@pytest.mark.parametrize("model", ["AuditEvent", *SEAL_ROWS])
def test_each_row_of_the_trail_has_one_writer(model: str) -> None:
    writer = SEAL_WRITER if model in SEAL_ROWS else AUDIT_WRITER
    wrong = []
    for path in files_of(*FLOORS):
        if name_of(path) == writer:
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                dump = ast.dump(node.func)
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name == model or (name in _ROW_CALLS and f"'{model}'" in dump):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
    assert not wrong, wrong


def test_only_the_ledger_module_writes_costs() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in files_of(*FLOORS)
        if name_of(path) != LEDGER_WRITER
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and (
            getattr(node.func, "id", "") == "CostRecord"
            or (getattr(node.func, "attr", "") == "create" and "'CostRecord'" in ast.dump(node.func))
        )
    ]
    assert not wrong, wrong
