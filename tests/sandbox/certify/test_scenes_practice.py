"""The scenes of practice, with the reference terminal: each of its cases holds,
and shows its bytes (mutants: tests/certify)."""
import pytest

from econduit_terminal.sandbox.certify import order, scenes_practice as scenes

OWN = [scene for scene in order.TERMINAL if scene.play.__module__ == scenes.__name__]


@pytest.mark.timeout(400)
def test_the_reference_holds(terminal_run, holds):
    found = holds(terminal_run, OWN)
    assert any(entry["dir"] == "in" for case in found for entry in case["wire"])


def test_every_scene_has_cases_and_is_played():
    assert OWN and all(scene.cases for scene in OWN)
