"""The table of scenes keeps its own rules."""
import pytest

from econduit_terminal.sandbox.fleet.scenes import BY_NAME, NODES, SCENES, Cut, Does


def test_each_scene_has_its_own_name():
    assert len(BY_NAME) == len(SCENES)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_phases_begin_in_order_within_the_outage_and_end_with_a_cloud_that_works(scene):
    begins = [phase.begins for phase in scene.phases]
    assert begins == sorted(set(begins)) and begins[0] == 0 and begins[-1] <= 1
    assert {scene.phases[-1].primary, scene.phases[-1].secondary} == {Does.WORKS}
    assert (scene.outage == 0) == (len(scene.phases) == 1)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_each_terminal_is_cut_at_least_once(scene):
    cuts = [phase.cut for phase in scene.phases]
    assert Cut.EVERYBODY in cuts or cuts.count(Cut.NODE) == NODES
