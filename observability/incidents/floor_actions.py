"""The actions of this floor: look at components, workers, queue, breakers and failures; hold and reset breakers; wake
and replay jobs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from observability.breakers import breaker_facts, breaker_rows, facts_of, force_breaker_open, reset_breaker
from observability.choices import BreakerState, JobState
from observability.dead_letters import JobNotDead, LetterEnded, letters, retry_letter
from observability.desk import in_words
from observability.gauges import job_counts, oldest_waiting_seconds
from observability.health import readiness
from observability.heartbeats import lost_since
from observability.incidents.actions import Action, ActionCall, ActionResult, register_action
from observability.models import Job, WorkerHeartbeat
from observability.probes import Finding
from observability.request_minutes import request_sums
from observability.sweeping import wake_workers

# A due job normally starts within a second or two (desk_panels.py watches the same figure).
_LONGEST_WAIT_SECONDS = 60.0
_MOST_REPLAYED = 500
# What ended badly is judged over the last minutes: long enough for a handful of jobs, short enough to see a recovery.
_RECENT = timedelta(minutes=5)
_MOST_FAILED_SHARE = 0.1
# The present minute and the one before: requests are many, so a recovery shows sooner.
_RECENT_MINUTES = 2


def register_floor_actions() -> None:
    for action in (
        Action("check_components", "Looks at what this process needs to serve.", check_components, looks=True),
        Action("check_workers", "Looks which worker processes live.", check_workers, looks=True),
        Action("check_queue", "Looks what waits and how long.", check_queue, looks=True),
        Action("check_service", "Looks at components, workers and queue together.", check_service, looks=True),
        Action("check_breakers", "Looks which circuit breakers are not closed.", check_breakers, looks=True),
        Action("check_breaker", "Looks whether calls to one service pass and succeed.", check_breaker, looks=True),
        Action(
            "check_failures", "Looks which requests and jobs failed lately, and by what.", check_failures, looks=True
        ),
        Action("hold_breaker_open", "Keeps every call from a service until a reset.", hold_breaker_open),
        Action("reset_breaker", "Lets calls to a service through again.", reset_one_breaker),
        Action("wake_jobs", "Wakes workers for what waits or was left by a dead worker.", wake_jobs),
        Action("replay_dead_letters", "Gives the dead letters of this incident fresh attempts.", replay_dead_letters),
    ):
        register_action(action)


def check_components(call: ActionCall) -> ActionResult:
    """Look at all components, or at those that the runbook names."""
    wanted = call.arguments.get("components", "").split()
    findings = [finding for finding in readiness() if not wanted or finding.name in wanted]
    return _told(findings)


def check_workers(call: ActionCall) -> ActionResult:
    fresh = lost_since(call.now)
    beats = list(WorkerHeartbeat.objects.order_by("-seen_at")[:20])
    alive = [beat for beat in beats if beat.seen_at >= fresh]
    lines = [
        f"{beat.name}: {'alive' if beat.seen_at >= fresh else f'gone for {in_words(_since(beat.seen_at, call.now))}'}"
        for beat in beats
    ]
    return ActionResult(bool(alive), "\n".join(lines or ["no worker was seen in the last day"]))


def check_queue(_call: ActionCall) -> ActionResult:
    counts, oldest = job_counts(), oldest_waiting_seconds()[()]
    waiting, running, dead = (int(counts[(state,)]) for state in (JobState.PENDING, JobState.RUNNING, JobState.DEAD))
    words = f"{waiting} wait, {running} run, {dead} are dead letters; the oldest due one has waited {in_words(oldest)}"
    return ActionResult(oldest < _LONGEST_WAIT_SECONDS, words)


def check_service(call: ActionCall) -> ActionResult:
    parts = [check_components(call), check_workers(call), check_queue(call)]
    return ActionResult(all(part.ok for part in parts), "\n".join(part.output for part in parts))


def check_breakers(call: ActionCall) -> ActionResult:
    facts = [breaker_facts(row, now=call.now) for row in breaker_rows(now=call.now).order_by("name")]
    lines = [
        f"{fact.name}: {_state_words(fact.state, forced=fact.forced_open)}, "
        f"{fact.window.failures} of {fact.window.calls} calls failed, {fact.window.slow} were slow"
        for fact in facts
    ]
    return ActionResult(all(fact.state == BreakerState.CLOSED for fact in facts), "\n".join(lines))


def check_breaker(call: ActionCall) -> ActionResult:
    fact = facts_of(name=call.target, now=call.now)
    calls, failures = fact.window.calls, fact.window.failures
    ok = fact.state == BreakerState.CLOSED and failures <= _MOST_FAILED_SHARE * calls
    words = f"{fact.name}: {_state_words(fact.state, forced=fact.forced_open)}, {failures} of {calls} calls failed"
    return ActionResult(ok, words if calls else f"{words}; nobody has called it since the reset")


def check_failures(call: ActionCall) -> ActionResult:
    """Count how jobs and requests ended lately; well when at most a tenth of the jobs and fewer requests than are
    alerted about failed."""
    since = call.now - _RECENT
    ended = Job.objects.filter(finished_at__gte=since)
    good = ended.filter(state=JobState.SUCCEEDED).count()
    bad = ended.exclude(state=JobState.SUCCEEDED)
    retried = Job.objects.filter(state=JobState.PENDING, started_at__gte=since).exclude(error_code="")
    reasons = [*_by_reason(bad), *(f"{line}, to be tried again" for line in _by_reason(retried))]
    failed = bad.count() + retried.count()
    ok = failed <= _MOST_FAILED_SHARE * (good + failed)
    jobs = f"jobs in {in_words(_RECENT.total_seconds())}: {good} well, {failed} not"
    requests = _requests(call.now)
    return ActionResult(ok and requests.ok, "\n".join([requests.output, jobs, *reasons]))


def _requests(now: datetime) -> ActionResult:
    sums = request_sums(minutes=_RECENT_MINUTES, now=now)
    ok = sums.server_errors < max(settings.ALERT_ERROR_SHARE * sums.requests, 1)
    words = f"requests in {_RECENT_MINUTES} min: {sums.requests}, {sums.server_errors} answered with 5xx"
    return ActionResult(ok, words)


def hold_breaker_open(call: ActionCall) -> ActionResult:
    fact = force_breaker_open(name=call.target, by=call.actor.id, now=call.now)
    return ActionResult(fact.forced_open, f"{fact.name} is held open: nothing is sent to it until it is reset")


def reset_one_breaker(call: ActionCall) -> ActionResult:
    fact = reset_breaker(name=call.target, by=call.actor.id, now=call.now)
    return ActionResult(fact.state == BreakerState.CLOSED, f"{fact.name} is closed: calls go through again")


def wake_jobs(call: ActionCall) -> ActionResult:
    """Make every waiting job, and every one whose worker died, due to be looked at now, and wake workers for them."""
    waiting = Q(state=JobState.PENDING, run_after__lte=call.now)
    left = Q(state=JobState.RUNNING, lease_expires_at__lt=call.now)
    due = Job.objects.filter(waiting | left).update(next_publish_at=call.now, publish_count=0)
    woken = wake_workers(now=call.now)
    return ActionResult(ok=True, output=f"{due} jobs are due, workers were woken for {woken}")


def replay_dead_letters(call: ActionCall) -> ActionResult:
    """Replay what died since the trouble began; what was dead before is another story."""
    waiting = letters().filter(resolution="", last_failed_at__gte=call.began_at).order_by("last_failed_at")
    again = sum(_retried(letter_id, call) for letter_id in list(waiting.values_list("id", flat=True)[:_MOST_REPLAYED]))
    left = waiting.count()
    return ActionResult(left == 0, f"{again} dead letters run again, {left} are left")


def _retried(letter_id: UUID, call: ActionCall) -> bool:
    """Whether it was this call that retried the letter; somebody else may have ended it meanwhile."""
    try:
        retry_letter(letter_id=letter_id, by=call.actor.id, now=call.now, note="incident")
    except (LetterEnded, JobNotDead):
        return False
    return True


def _told(findings: Iterable[Finding]) -> ActionResult:
    found = list(findings)
    lines = [f"{one.name}: {one.problem or 'ok'} ({one.milliseconds:g} ms)" for one in found]
    return ActionResult(all(one.ok for one in found if one.required), "\n".join(lines))


def _by_reason(rows: QuerySet[Job]) -> list[str]:
    counted = rows.values_list("kind", "error_code").annotate(n=Count("id")).order_by("-n")[:10]
    return [f"{kind}: {code or 'no reason kept'} × {number}" for kind, code, number in counted]


def _state_words(state: BreakerState, *, forced: bool) -> str:
    return "held open by a person" if forced else BreakerState(state).label.lower()


def _since(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds()
