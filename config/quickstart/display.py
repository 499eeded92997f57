"""What a person sees while the demonstration runs; silent where there is no terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from config.quickstart.demonstration import ClaimProgress
from config.quickstart.people import Credentials

_STAGE_WORDS = {
    "": "waiting for the worker",
    "LOAD": "reading the file",
    "MINING": "measuring picture and sound",
    "VISION": "describing the scene",
    "FAULT": "weighing fault",
    "FRAUD": "checking integrity",
    "CONFORMAL": "bounding the uncertainty",
    "STORE": "storing",
}


class Display:
    """Progress bars on a terminal's standard error; elsewhere a line for each finished piece of work."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<34}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._visible = self._console.is_terminal
        self._progress = Progress(*columns, TimeElapsedColumn(), console=self._console, disable=not self._visible)
        self._bars: dict[str, TaskID] = {}
        self._finished: set[str] = set()

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None) -> None:
        self._progress.stop()

    def show(self, name: str, share: float, note: str) -> None:
        """Draw the bar of a named piece of work at the share 0–1."""
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=1.0, note="")
        self._progress.update(self._bars[name], completed=share, note=note)

    def finish(self, name: str, note: str) -> None:
        """Fill the bar; without a terminal this is the line that tells of it, once."""
        if not self._visible and name not in self._finished:
            self._console.print(f"{name}: {note}", highlight=False, markup=False)
        self._finished.add(name)
        self.show(name, 1.0, note)

    def show_claim(self, state: ClaimProgress) -> None:
        """Draw how far the assessment of a claim is."""
        name = f"Claim {state.claim_number}"
        if state.done:
            self.finish(name, "assessed")
        else:
            self.show(name, state.percent / 100, _STAGE_WORDS.get(state.stage, state.stage.lower()))


def welcome(credentials: Credentials, url: str) -> str:
    """Return the closing text with the address and the logins."""
    lines = ["", f"  Claimwright is running at  {url}/", "", "  Sign in as", ""]
    for slug, tenant in credentials.tenants.items():
        for user in tenant.users.values():
            lines.append(f"    {slug:<9} {user.role.lower():<11} {user.username:<15} {user.password}")
    operator = credentials.operator
    lines.append(f"    {'platform':<9} {'operator':<11} {operator.username:<15} {operator.password}")
    return "\n".join(
        [*lines, "", "  Ctrl-C stops everything; the data stays. Keys: credentials.json in the data folder.", ""]
    )
