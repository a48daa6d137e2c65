"""The scenes in scenes_cloud_beats, with the reference cloud: each of its cases holds, and shows its bytes."""
import pytest

from econduit_terminal.sandbox.certify import order, scenes_cloud_beats as scenes

OWN = [scene for scene in order.CLOUD if scene.play.__module__ == scenes.__name__]


@pytest.mark.timeout(400)
def test_the_reference_holds(cloud_run, holds):
    found = holds(cloud_run, OWN)
    assert any(entry["dir"] == "in" for case in found for entry in case["wire"])
