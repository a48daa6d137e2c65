"""Hooks in place of a person."""
import asyncio
import time

import pytest

from econduit_terminal.sandbox.certify.person import Cannot, Hands, Nobody, run


class Said:
    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def answer(self, prompt):
        self.asked.append((prompt.text, prompt.yes_no))
        return self.answers.pop(0)


def do(hands, *words):
    return asyncio.run(hands.do(*words))


def test_a_hook_is_run_and_nobody_is_asked(tmp_path):
    do(Hands({"cable_out": f"touch {tmp_path}/out"}, Nobody(), lambda text: None), "cable_out", "Pull")
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("command, words", [("exit 3", "exit status 3"), ("echo no route; false", "no route"),
                                            ("/nowhere/x", "not found")])
def test_a_hook_that_fails(command, words):
    with pytest.raises(Cannot, match=words):
        do(Hands({"cable_out": command}, Nobody(), lambda text: None), "cable_out", "Pull")


def test_a_hook_that_does_not_end_is_ended():
    start = time.monotonic()
    assert asyncio.run(run("sleep 60", 0.2))[0] is None
    assert time.monotonic() - start < 30


def test_what_a_hook_leaves_running_is_not_waited_for():
    start = time.monotonic()
    assert asyncio.run(run("sleep 20 & echo started"))[0] == 0
    assert time.monotonic() - start < 15


def test_a_person_is_asked_and_may_say_cannot():
    person = Said(("done", ""), ("cannot", "no tool"), ("yes", ""), ("no", ""), ("cannot", ""))
    hands = Hands({}, person, lambda text: None)
    do(hands, "cable_out", "Pull")
    with pytest.raises(Cannot, match="no tool"):
        do(hands, "cable_in", "Plug")
    assert asyncio.run(hands.says("Red?")) and not asyncio.run(hands.says("Red?"))
    with pytest.raises(Cannot):
        asyncio.run(hands.says("Red?"))
    assert person.asked[0] == ("Pull", False) and person.asked[2] == ("Red?", True)


def test_nobody_is_a_reason():
    with pytest.raises(Cannot, match="--no-person"):
        do(Hands({}, Nobody(), lambda text: None), "cable_out", "Pull")
