"""The command econduit-fleet simulate: scenes played in the model, as a table, as JSON, and as a report."""
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from econduit_terminal.conf import settings
from econduit_terminal.conf.schema import Settings
from econduit_terminal.conf.values import show_duration
from econduit_terminal.sandbox.fleet import feasible
from econduit_terminal.sandbox.fleet.bar import bar
from econduit_terminal.sandbox.fleet.figures import HEADINGS, Figures, verdict
from econduit_terminal.sandbox.fleet.history import NEVER, Outcome
from econduit_terminal.sandbox.fleet.options import WRONG
from econduit_terminal.sandbox.fleet.play import Run, play
from econduit_terminal.sandbox.fleet.quantities import show_count, show_seconds
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, SCENES, Cloud

WIDTH = 110
"""Columns of the table, also where the output is not a terminal."""


def main(options: Namespace) -> int:
    """Returns the exit status."""
    try:
        chosen = settings.load(options.config_dir)
    except settings.SettingsError as error:
        print("\n".join(error.mistakes), file=sys.stderr)
        return WRONG
    if options.rtt >= chosen.reconnect.connect_timeout:
        print(f"econduit-fleet: --rtt {show_duration(options.rtt)}: no connection would open within "
              f"reconnect.connect_timeout ({show_duration(chosen.reconnect.connect_timeout)})", file=sys.stderr)
        return WRONG
    asked = list(runs(options))
    if not feasible.playable(asked) or (options.save and not feasible.writable(options.save)):
        return WRONG
    console = Console(highlight=False, soft_wrap=True, width=WIDTH)
    played = []
    for run in asked:
        outcomes = simulate(run, chosen, alone=options.alone)
        played.append((run, outcomes))
        if not options.json:
            _show(console, run, [Figures.of(outcome) for outcome in outcomes])
    if options.json:
        print(json.dumps([_plain(run, outcomes) for run, outcomes in played], indent=2))
    if options.save:
        from econduit_terminal.sandbox.fleet import report
        if not feasible.write(options.save, report.page(played, _source(options.config_dir))):
            return WRONG
        print(f"the report is in {options.save}", file=sys.stderr)
    return 0


def runs(options: Namespace) -> Iterator[Run]:
    """The scenes that are asked for, with their numbers."""
    names = options.scene or ["away"]
    cloud = Cloud(options.budget, options.queue, options.backlog, options.notices)
    for scene in SCENES if "all" in names else [BY_NAME[name] for name in dict.fromkeys(names)]:
        outage = options.outage if options.outage is not None and scene.outage else scene.outage
        yield Run(scene, options.terminals, outage, cloud, options.rtt, seed=options.seed)


def simulate(run: Run, chosen: Settings, *, alone: bool = False) -> list[Outcome]:
    """What becomes of a fleet of this product's terminals, and of those to compare with unless it is `alone`."""
    makers = run.behaviours(chosen)
    outcomes = []
    for make in makers[:1] if alone else makers:
        behaviour = make()
        with bar(Console(stderr=True), f"{run.scene.name}: {behaviour.name}", run.last + run.scene.watched + run.limit,
                 "{task.completed:.0f} s played") as told:
            outcomes.append(play(run, behaviour, told.at))
    return outcomes


def _show(console: Console, run: Run, rows: list[Figures]) -> None:
    table = Table(title=_title(run), title_justify="left", title_style="bold", box=None, pad_edge=False,
                  expand=False)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row.values)
    with console.capture() as shown:        # a console that prints ends the program where a pipe was closed
        console.print(table)
        console.print(verdict(run, rows))
        console.print()
    print(shown.get(), end="")


def _title(run: Run) -> str:
    outage = f" for {show_seconds(run.outage)}" if run.outage else ""
    return (f"{run.scene.name}: {run.scene.about}{outage}; {show_count(run.terminals)} terminals, "
            f"{show_count(run.cloud.budget)} registrations a second")


def _source(directory: Path | None) -> str:
    return f"the settings in {directory}" if directory else "the shipped settings"


def _plain(run: Run, outcomes: list[Outcome]) -> dict[str, object]:
    """For JSON, which has no infinity: null is never."""
    rows = []
    for outcome in outcomes:
        figures = asdict(Figures.of(outcome))
        rows.append({key: None if value == NEVER else value for key, value in figures.items()})
    return {"scene": run.scene.name, "terminals": run.terminals, "outage": run.outage, "budget": run.cloud.budget,
            "limit": run.limit, "seed": run.seed, "policies": rows}
