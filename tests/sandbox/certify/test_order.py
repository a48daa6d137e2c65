"""The order of the scenes: every case is judged by one of them, what others rest on comes first."""
import pytest

from econduit_terminal.sandbox.certify import order
from econduit_terminal.sandbox.certify.table.every import CLOUD, TERMINAL


@pytest.mark.parametrize("scenes, cases", [(order.TERMINAL, TERMINAL), (order.CLOUD, CLOUD)], ids=["terminal", "cloud"])
def test_every_case_has_a_scene(scenes, cases):
    assert {case for scene in scenes for case in scene.cases} == set(cases)


def test_the_first_registration_comes_first_and_what_may_drive_it_away_late():
    ids = [case.id for scene in order.TERMINAL for case in scene.cases]
    assert ids[0] == "3.1" and ids.index("5.1") < ids.index("5.3") and ids.index("2.9") < ids.index("2.5")
    assert ids.index("3.11") > ids.index("3.12")
