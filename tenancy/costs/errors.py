"""Named refusals around money."""

from observability.errors import Conflict, LimitReached


class BudgetExhausted(LimitReached):
    """A budget whose policy stops calls has no room for this one; the caller goes on without it."""

    code = "budget_exhausted"
    message = "The tenant's budget has no room for this call."


class BudgetExists(Conflict):
    code = "budget_exists"
    message = "There is a budget for this period already; change that one."


class StaleBudget(Conflict):
    code = "stale"
    message = "The budget was changed in the meantime."
