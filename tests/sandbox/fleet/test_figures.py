"""Figures and the verdict in two sentences."""
import re

import numpy as np
import pytest

from econduit_terminal.sandbox.fleet.figures import HEADINGS, Figures, verdict
from econduit_terminal.sandbox.fleet.history import Kind, Outcome
from econduit_terminal.sandbox.fleet.play import Run
from econduit_terminal.sandbox.fleet.scenes import BY_NAME

RUN = Run(BY_NAME["away"], 20_000, 600.0)
NEVER = float("inf")


def figures(policy="ours", *, half=5.0, nearly_all=9.9, worst=10.0, wasted=0.0):
    return Figures(policy, half, 9.0, nearly_all, worst, dials=12.25, probes=0.0, peak=4321, wasted=wasted)


def test_figures_of_an_outcome():
    rows = {kind: np.zeros(3, np.int64) for kind in Kind}
    rows[Kind.DIAL][:], rows[Kind.PROBE][1] = (2, 4, 0), 5
    rows[Kind.REGISTERED][2], rows[Kind.WASTED][2] = 3, 1
    found = Figures.of(Outcome("x", rows, np.zeros(3, np.int64), np.array([1.0, 2.0])))
    assert found == Figures("x", 1.0, 2.0, 2.0, 2.0, dials=3.0, probes=2.5, peak=9, wasted=0.25)
    assert found.values == ("x", "1.0 s", "2.0 s", "2.0 s", "2.0 s", "3.0 + 2.5", "9", "25 %")
    assert len(found.values) == len(HEADINGS)


@pytest.mark.parametrize("own, says", [
    (figures(), "no later than the cloud can take them (10.0 s). The cloud works off no registration in vain"),
    (figures(nearly_all=30.0, worst=31.0, wasted=0.5), "31.0 s, although the cloud could take them in 10.0 s. 50 % of"),
    (figures(nearly_all=NEVER, worst=NEVER), "The fleet keeps the cloud down: not all of 20,000 terminals")])
def test_two_sentences(own, says):
    said = verdict(RUN, [own, figures("naive", nearly_all=20.0), figures("slow", nearly_all=40.0)])
    assert says in said
    assert len(re.findall(r"\.(?: |$)", said)) == 2
    assert said.endswith("with naive, the quickest of the others, 99 % are back after 20.0 s.")


def test_where_the_others_are_never_back_none_is_the_quickest():
    said = verdict(RUN, [figures(), figures("naive", nearly_all=NEVER), figures("slow", nearly_all=NEVER)])
    assert said.endswith("in the busiest 100 ms; with none of the others are 99 % back at all.")


def test_alone_nothing_is_compared():
    assert "others" not in verdict(RUN, [figures()])
