"""A scene with its numbers, and 20,000 terminals in each of them."""
from dataclasses import replace

import numpy as np
import pytest

from econduit_terminal.conf.settings import load
from econduit_terminal.sandbox.fleet.history import STEP, Kind
from econduit_terminal.sandbox.fleet.play import Run, play
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, SCENES, Cloud

SETTINGS = load(None)


@pytest.mark.parametrize("name, outage, limit, works_from, last", [
    ("cut", 0.0, 10.0, 0.0, 0.0), ("one-endpoint", 600.0, 10.0, 0.0, 600.0), ("rolling", 300.0, 1.0, 0.0, 270.0),
    ("crash-loop", 60.0, 10.0, 60.0, 60.0), ("away", 600.0, 10.0, 600.0, 600.0)])
def test_from_when_on_the_cloud_could_take_them_and_how_long_it_needs(name, outage, limit, works_from, last):
    run = Run(BY_NAME[name], 20_000, outage)
    assert (run.limit, run.works_from, run.last) == pytest.approx((limit, works_from, last))
    assert run.end > run.last + 4 * run.limit


def shipped(name, *, terminals=20_000, outage=None, cloud=None, which=0):
    scene = BY_NAME[name]
    run = Run(scene, terminals, scene.outage if outage is None else outage, cloud or Cloud())
    return run, play(run, run.behaviours(SETTINGS)[which]())


@pytest.mark.parametrize("name, outage", [("cut", 0.0), ("one-endpoint", 30.0), ("rolling", 30.0),
                                          ("crash-loop", 15.0)])
def test_20_000_terminals_are_back_no_later_than_the_cloud_can_take_them(name, outage):
    run, outcome = shipped(name, outage=outage)
    assert outcome.back_after(0.99) <= 1.2 * run.limit
    assert outcome.total(Kind.WASTED) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["away", "vanished"])
def test_also_after_two_minutes_without_any_cloud(name):
    run, outcome = shipped(name, outage=120.0)
    assert outcome.back_after(1.0) <= 1.2 * run.limit and outcome.total(Kind.WASTED) == 0


@pytest.mark.parametrize("notices, worst", [(True, 12.0), (False, 60.0)])
def test_a_fleet_does_not_keep_a_cloud_down_that_hung_for_a_minute(notices, worst):
    """A cloud that does not notice who hung up has 37 s of such work before it: its full queue and
    backlogs (here a tenth of them, and of the terminals)."""
    _, outcome = shipped("crowded", terminals=2000, cloud=Cloud(200.0, 6554, 410, notices))
    assert outcome.back_after(1.0) <= worst


@pytest.mark.slow
def test_nor_one_whose_backlog_was_full():
    _, outcome = shipped("backlog", terminals=2000, cloud=Cloud(200.0, 6554, 410))
    assert outcome.back_after(1.0) <= 20.0


def test_what_is_counted_adds_up():
    run, outcome = shipped("crash-loop", terminals=500, outage=20.0, cloud=Cloud(budget=50.0))
    assert outcome.total(Kind.REGISTERED) == outcome.total(Kind.LOST)      # each was registered at first
    assert outcome.online[-1] == run.terminals and outcome.online.min() >= 0
    assert outcome.total(Kind.REGISTERED) <= run.cloud.budget * outcome.online.size * STEP
    assert outcome.total(Kind.DIAL) >= outcome.total(Kind.OPEN) >= outcome.total(Kind.REGISTERED)


def test_a_rolling_restart_drops_each_terminal_once():
    _, outcome = shipped("rolling", terminals=105)
    losses = np.flatnonzero(outcome.rows[Kind.LOST])
    assert (losses * STEP).tolist() == pytest.approx([30.0 * node for node in range(10)])
    assert outcome.rows[Kind.LOST][losses].tolist() == [11] * 5 + [10] * 5


def test_the_same_seed_gives_the_same_figures_and_another_one_others():
    run = Run(BY_NAME["away"], 200, 30.0, Cloud(budget=50.0))
    first, again, other = (play(each, each.behaviours(SETTINGS)[0]()).back
                           for each in (run, run, replace(run, seed=2)))
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_every_policy_plays_every_scene(scene, which):
    run, outcome = shipped(scene.name, terminals=40, outage=min(scene.outage, 20.0), which=which)
    assert np.isfinite(outcome.back).all() and outcome.online[-1] == run.terminals


def test_a_fleet_that_never_comes_back_is_given_up():
    """The naive ones hang up in a queue that is longer than their patience, again and again."""
    run, outcome = shipped("crowded", terminals=200, outage=20.0, cloud=Cloud(budget=4.0), which=1)
    assert outcome.policy == "naive 1 s" and np.isinf(outcome.back_after(1.0))
    assert outcome.online.size == pytest.approx(run.end / STEP, abs=2)


def test_progress_is_told():
    run = Run(BY_NAME["away"], 10, 5.0)
    told = []
    play(run, run.behaviours(SETTINGS)[0](), told.append)
    assert told == sorted(told) and told[0] == 1.0 and told[-1] > 5.0
