"""The scene of the messages of a whole run, with the reference terminal (mutants: tests/certify)."""
import re

import pytest

from econduit_terminal.sandbox.certify import order, scenes_connection, scenes_messages as scenes
from econduit_terminal.sandbox.certify.table import terminal as T


@pytest.mark.timeout(400)
def test_every_message_of_the_run_is_looked_at(terminal_run, holds):
    found = {case["case"]: case for case in holds(terminal_run, scenes.LAST)}
    same, = re.findall(r"^(\d+) times the same$", found[T.IDENTICAL.id]["seen"])
    assert found[T.FIRST.id]["seen"] == f"{same} connections, each began with a Register"
    assert int(same) > 20, "nearly every scene has the terminal register again"


def test_it_is_played_behind_the_scenes_whose_messages_it_judges():
    assert order.TERMINAL[-2:] == (*scenes.LAST, *scenes_connection.LAST)
