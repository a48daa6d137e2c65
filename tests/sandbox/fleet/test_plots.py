"""The plots of a scene."""
import xml.etree.ElementTree as ElementTree

import numpy as np

from econduit_terminal.sandbox.fleet import plots
from econduit_terminal.sandbox.fleet.history import Kind, Outcome
from econduit_terminal.sandbox.fleet.play import Run
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, Cloud


def outcome(policy, steps, back=3.0):
    rows = {kind: np.arange(steps, dtype=np.int64) for kind in Kind}
    return Outcome(policy, rows, np.arange(steps, dtype=np.int64), np.full(10, back))


def test_one_picture_with_every_policy_by_name():
    run = Run(BY_NAME["away"], 10, 20.0, Cloud(budget=1.0))
    text = plots.svg(run, [outcome("ours", 300), outcome("theirs", 320, back=np.inf)])
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    said = " ".join(node.text or "" for node in root.iter()) + text
    for words in ("ours", "theirs", "terminals online", "registrations per 100 ms"):
        assert words in said


def test_what_never_comes_back_does_not_squeeze_the_rest():
    run = Run(BY_NAME["away"], 100, 600.0, Cloud(budget=10.0))
    begin, end = plots._span(run, [outcome("ours", 10, back=12.0), outcome("theirs", 10, back=np.inf)])
    assert (begin, end) == (590.0, 615.0)
    assert plots._span(run, [outcome("slow", 10, back=1e6)])[1] == 600.0 + 1.25 * 150


def test_a_rolling_restart_is_shown_whole():
    assert plots._span(Run(BY_NAME["rolling"], 100, 300.0), [outcome("ours", 10, back=1.0)]) == (0.0, 276.25)


def test_long_lines_keep_their_peaks():
    values = np.zeros(1_000_000, np.int64)
    values[123_456] = 7
    times, shown = plots._thinned(values, 0.0, 1e5)
    assert shown.max() == 7 and shown.size <= plots.POINTS and times.size == shown.size
    assert abs(times[shown.argmax()] - 12_345.6) < 1e5 / plots.POINTS
