"""Plots of a scene that was played, as SVG: dials, registrations and terminals online, a line for each policy."""
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from econduit_terminal.sandbox.fleet.history import NEVER, STEP, Kind, Outcome
from econduit_terminal.sandbox.fleet.play import Run

COLOURS = ("#0b6e4f", "#c1121f", "#e09f3e", "#3a5a9b")
SHORTEST, MOST_LIMITS, MARGIN = 5.0, 15.0, 1.25
"""Of what is shown after the cloud works again: seconds at least, times its own limit at most, and the room beside."""
POINTS = 2000
"""Of a line, at most; more are drawn as the largest of each group."""


def svg(run: Run, outcomes: Sequence[Outcome]) -> str:
    """One picture, to be put into a page."""
    figure = Figure(figsize=(9.5, 8.5), layout="constrained")
    rows: list[Axes] = list(figure.subplots(3, 1, sharex=True))
    begin, end = _span(run, outcomes)
    for outcome, colour in reversed(list(zip(outcomes, COLOURS, strict=False))):
        own = outcome is outcomes[0]
        for axes, values in zip(rows, _values(outcome), strict=True):
            axes.plot(*_thinned(values, begin, end), color=colour, linewidth=1.6 if own else 0.9, label=outcome.policy)
    for axes, title in zip(rows, (f"dials per {1000 * STEP:.0f} ms, the watchdogs' included",
                                  f"registrations per {1000 * STEP:.0f} ms", "terminals online"), strict=True):
        axes.set_title(title, loc="left", fontsize=10)
        axes.grid(alpha=0.25)
        axes.set_ylim(bottom=0)
        axes.axvline(run.works_from, color="black", linewidth=0.8, linestyle=":")
    rows[0].set_yscale("symlog", linthresh=10)
    rows[1].axhline(run.cloud.budget * STEP, color="black", linewidth=0.8, linestyle="--")
    rows[2].set_xlim(begin, end)
    rows[2].set_xlabel("seconds since the cloud dropped them")
    handles, labels = rows[0].get_legend_handles_labels()
    rows[2].legend(handles[::-1], labels[::-1], loc="lower right", fontsize=9)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg"):]


def _span(run: Run, outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """What is shown: from shortly before the cloud works again until those are back that come back in reasonable time.
    Whoever never does must not squeeze the rest."""
    soon = MOST_LIMITS * max(run.limit, SHORTEST)
    back = [min(outcome.back_after(0.99), soon) for outcome in outcomes if outcome.back_after(0.99) < NEVER]
    shown = MARGIN * max([run.limit, SHORTEST, *back])
    if run.works_from < run.last:       # it works all the time: everything counts
        return 0.0, run.last + shown
    return max(0.0, run.works_from - max(shown / 4, 10.0)), run.works_from + shown


def _values(outcome: Outcome) -> tuple[NDArray[np.int64], ...]:
    return outcome.rows[Kind.DIAL] + outcome.rows[Kind.PROBE], outcome.rows[Kind.REGISTERED], outcome.online


def _thinned(values: NDArray[np.int64], begin: float, end: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Times and values between these, in groups where there are more than can be seen. After the last one nothing
    changes."""
    first, last = int(begin / STEP), int(end / STEP) + 1
    shown = np.pad(values, (0, max(0, last - values.size)), mode="edge")[first:last]
    group = max(1, -(-shown.size // POINTS))
    starts = np.arange(0, shown.size, group)
    return (first + starts) * STEP, np.maximum.reduceat(shown, starts)
