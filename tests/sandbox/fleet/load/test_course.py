"""The course of a load, by its table."""
import pytest

from econduit_terminal.sandbox.fleet.load.course import CALM, Course, Stage


def course(scene: bool = True, stay: float | None = None) -> Course:
    return Course(10, scene=scene, settle=5.0, patience=60.0, stay=stay, started=0.0)


def test_with_a_scene():
    load = course()
    assert load.look(9, 1.0) is Stage.RAMP
    assert load.look(10, 2.0) is Stage.SETTLE
    assert load.look(10, 6.9) is Stage.SETTLE
    assert load.look(10, 7.0) is Stage.SCENE
    assert load.look(0, 100.0) is Stage.SCENE       # as long as the scene takes
    load.works(100.0)
    assert load.look(10, 101.0) is Stage.BACK       # old news: what the workers reported last
    assert load.look(3, 102.0) is Stage.BACK
    assert load.look(10, 103.0) is Stage.BACK
    assert load.look(10, 103.0 + CALM) is Stage.OVER and load.late == 0


def test_without_one_it_stays():
    load = course(scene=False)
    assert load.look(10, 1.0) is Stage.STEADY
    assert load.look(3, 1e6) is Stage.STEADY


def test_or_as_long_as_it_is_told_to():
    load = course(scene=False, stay=30.0)
    assert load.look(10, 1.0) is Stage.STEADY
    assert load.look(3, 30.9) is Stage.STEADY
    assert load.look(3, 31.0) is Stage.OVER and load.late == 0


@pytest.mark.parametrize("back", [False, True])
def test_patience_ends(back):
    load = course()
    if back:
        load.look(10, 0.0)
        load.look(10, 5.0)
        load.works(5.0)
    assert load.look(8, 59.9) is (Stage.BACK if back else Stage.RAMP)
    assert load.look(8, 65.0) is Stage.OVER and load.late == 2


def test_a_scene_that_cannot_be_played_ends_it():
    load = course()
    load.fail(1.0)
    assert load.look(10, 1.0) is Stage.OVER
