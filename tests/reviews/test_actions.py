"""The table of review actions: complete, and no row says more than the status graph allows."""

from __future__ import annotations

import pytest

from claims.workflow import MOVES
from reviews.actions import STEPS, refuse_own_claim, refuse_stale_assessment, refuse_wrong_state
from reviews.choices import DecisionKind
from tenancy.choices import Role, Scope
from tenancy.permissions import role_scopes


def test_every_decision_has_its_row() -> None:
    assert set(STEPS) == set(DecisionKind)


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_every_row_is_a_move_of_the_graph_that_ends_elsewhere(kind: DecisionKind) -> None:
    step = STEPS[kind]
    assert step.origins
    for origin in step.origins:
        assert step.target in MOVES[origin]
    assert step.target not in step.origins


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_every_row_is_for_reviewers_and_bound_to_what_they_saw(kind: DecisionKind) -> None:
    step = STEPS[kind]
    assert step.scope == Scope.REVIEW
    assert step.rules[:2] == (refuse_own_claim, refuse_wrong_state)
    assert refuse_stale_assessment in step.rules
    allowed = {role for role in Role if step.scope in role_scopes(role)}
    assert allowed == {Role.ANALYST, Role.SUPERVISOR, Role.ADMIN}
