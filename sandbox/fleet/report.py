"""The report of what was simulated: one HTML page that needs nothing else."""
from collections.abc import Sequence
from datetime import UTC, datetime

import jinja2

from econduit_terminal.conf.version import VERSION
from econduit_terminal.sandbox.fleet import plots
from econduit_terminal.sandbox.fleet.figures import GOOD, HEADINGS, Figures, verdict
from econduit_terminal.sandbox.fleet.history import Outcome
from econduit_terminal.sandbox.fleet.play import Run
from econduit_terminal.sandbox.fleet.quantities import show_count, show_seconds

_PAGES = jinja2.Environment(loader=jinja2.PackageLoader("econduit_terminal.sandbox.fleet"), autoescape=True,
                            trim_blocks=True, lstrip_blocks=True)


def page(played: Sequence[tuple[Run, Sequence[Outcome]]], settings: str, at: datetime | None = None) -> str:
    """The whole page. settings: in words, where the terminals' settings came from."""
    scenes = []
    for run, outcomes in played:
        rows = [Figures.of(outcome) for outcome in outcomes]
        scenes.append({"name": run.scene.name, "about": run.scene.about, "facts": _facts(run),
                       "verdict": verdict(run, rows), "rows": [row.values for row in rows],
                       "plot": plots.svg(run, outcomes)})
    written = (at or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC")
    return _PAGES.get_template("report.html").render(scenes=scenes, headings=HEADINGS, settings=settings,
                                                     version=VERSION, written=written, good=GOOD)


def _facts(run: Run) -> list[tuple[str, str]]:
    cloud = run.cloud
    return [("terminals", show_count(run.terminals)),
            ("outage", show_seconds(run.outage) if run.outage else "none"),
            ("registrations", f"{show_count(cloud.budget)} a second"),
            ("the cloud needs", show_seconds(run.limit)),
            ("queue", show_count(cloud.queue)), ("backlog", f"{show_count(cloud.backlog)} at each endpoint"),
            ("who hung up", "is noticed" if cloud.notices else "is worked off all the same"),
            ("round trip", show_seconds(run.rtt)), ("seed", str(run.seed))]
