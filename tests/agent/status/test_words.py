import pytest

from econduit_terminal.agent.status.words import named


@pytest.mark.parametrize("name, text, words", [
    ("watchdog", "watchdog silent", "watchdog silent"),
    ("display", "port taken", "display: port taken"),
])
def test_a_problems_name_is_said_once(name, text, words):
    assert named(name, text) == words
