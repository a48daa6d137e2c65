"""The model's terminals do what the agent's own parts do, one object a terminal."""
from dataclasses import replace

import fleet_of_objects
import numpy as np
import pytest
from hypothesis import given, settings as how, strategies as st

from econduit_terminal.conf.settings import load
from econduit_terminal.sandbox.fleet.history import Kind
from econduit_terminal.sandbox.fleet.play import Run, play
from econduit_terminal.sandbox.fleet.product import Product
from econduit_terminal.sandbox.fleet.scenes import SCENES, Cloud, Cut, Does, Phase, Scene

SETTINGS = load(None)
PRIME = 997
"""Chances are parts of it, so that no two events of different making are at one moment."""
BLOCKED = Scene("blocked", "the cloud refuses every dial behind a firewall that drops the secondary's port", 60.0,
                (Phase(0.0, Does.REFUSES, Does.SILENT, Cut.EVERYBODY), Phase(1.0, Does.WORKS, Does.SILENT)))
"""One endpoint's dial goes on after the other's refusal."""


def both(scene, chances, *, outage, cloud):
    """The outcome of the model, and what the fleet of objects saw."""
    scene = replace(scene, watched=0.0)
    # The order of events is the model's one approximation: with this width it is exact.
    run = Run(scene, len(chances), outage if scene.outage else 0.0, cloud, rtt=0.03, width=1e-9)
    # Not a multiple of local_retry, so that no dial ends at the moment of a SYN; no moves, which are not played here.
    settings = replace(SETTINGS, reconnect=replace(SETTINGS.reconnect, connect_timeout=4.7, primary_retry=1e9))
    chance = np.array(chances)
    product = Product(settings, run.terminals, lambda ids: chance[ids])
    product.dialing = replace(product.dialing, probes=None)
    return run, play(run, product), fleet_of_objects.play(run, settings, chances)


def backs(run, seen):
    """As Outcome.back, from what was seen."""
    found = []
    for number in range(run.terminals):
        away = [back - max(cut, run.works_from) for cut, back in
                zip(seen.cut[number], seen.registered.get(number, []), strict=False)]
        whole = len(seen.cut[number]) == len(seen.registered.get(number, []))
        found.append(max(0.0, *away) if whole else float("inf"))
    return found


@pytest.mark.parametrize("scene", [*SCENES, BLOCKED], ids=lambda scene: scene.name)
@given(chances=st.lists(st.integers(1, PRIME - 1), min_size=1, max_size=8, unique=True).map(
           lambda found: [number / PRIME for number in found]),
       outage=st.floats(0.5, 40.0), budget=st.sampled_from([0.5, 2.0, 1000.0]), notices=st.booleans(),
       queue=st.sampled_from([1, 3, 1000]), backlog=st.sampled_from([1, 4, 1000]))
@how(max_examples=12, deadline=None)
def test_the_model_and_the_agent_s_own_parts_agree(scene, chances, outage, budget, notices, queue, backlog):
    run, outcome, seen = both(scene, chances, outage=outage, cloud=Cloud(budget, queue, backlog, notices))
    assert outcome.back.tolist() == pytest.approx(backs(run, seen), abs=1e-6)
    if np.isfinite(outcome.back).all():
        assert outcome.total(Kind.DIAL) == seen.dials
        assert outcome.total(Kind.OPEN) == seen.opened
        assert outcome.total(Kind.WASTED) <= seen.wasted
