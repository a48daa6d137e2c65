"""The agent ends as in a power failure, at every step of a transaction, and is started again.

For each step, what is right: how often the application ran the request, what the cloud got unasked, and what it gets
when it sends the same request again; never does that run it once more than here.
"""
import os

import pytest

from econduit_terminal.agent.transactions.failpoints import STEPS

# step: (runs, what the cloud has once the agent is back, what the same request gets then, runs in the end)
APPROVED = {
    "received":     (0, [], "Approved", 1),
    "handing":      (0, [], "Approved", 1),
    "handed":       (0, [], "interrupted", 0),
    "asked":        (1, [], "interrupted", 1),
    "answering":    (1, [], "interrupted", 1),
    "answered":     (1, ["Approved"], "Approved", 1),
    "sent":         (1, ["Approved", "Approved"], "Approved", 1),
    "delivering":   (1, ["Approved", "Approved"], "Approved", 1),
    "delivered":    (1, ["Approved"], "Approved", 1),
    "checkpointed": (1, ["Approved"], "Approved", 1),
}
WITH_CARD_DATA = {step: (runs, got, "card data deleted" if got else again, end)
                  for step, (runs, got, again, end) in APPROVED.items()}
NO_ANSWER = {step: (runs, ["no answer"] * len(got), again if again == "interrupted" else "no answer", end)
             for step, (runs, got, again, end) in APPROVED.items()}
CASES = [pytest.param(amount, step, id=f"{name}-{step}") for name, amount in (
    ("approved", "2.50"), ("card", "9.08"), ("no-answer", "9.01")) for step in STEPS]
TABLES = {"2.50": APPROVED, "9.08": WITH_CARD_DATA, "9.01": NO_ANSWER}


@pytest.mark.parametrize("amount, step", CASES)
def test_at_every_step(terminal, amount, step):
    runs, got, again, runs_in_the_end = TABLES[amount][step]
    here = terminal()
    ref = f"{here.id}-1"
    here.start(crash_at=step)
    here.ask(amount, ref)
    here.crashed()
    here.start()
    here.wait_answers(len(got))
    here.flush()
    assert (len(here.app.runs(ref)), here.got()) == (runs, got)
    here.ask_again(ref)
    here.wait_answers(len(got) + 1)
    here.flush()
    assert (len(here.app.runs(ref)), here.got()) == (runs_in_the_end, [*got, again])
    codes = {answer["AuthCode"] for answer in here.answers() if answer["ResultCode"] == "Approved"}
    assert len(codes) <= 1      # one approval, however often it was sent


def test_a_follow_up_runs_after_an_unknown_outcome(terminal):
    here = terminal()
    here.start(crash_at="answering")
    here.ask("2.50", f"{here.id}-1")
    here.crashed()
    here.start()
    here.ask("2.50", f"{here.id}-1", "void")
    here.wait_answers(1)
    assert here.got() == ["Approved"]
    assert [run["Command"] for run in here.app.runs(f"{here.id}-1")] == ["Sale", "Void"]


def test_killed_while_the_customer_s_card_is_in_the_reader(terminal):
    here = terminal(timeout="20s")
    ref = f"{here.id}-1"
    here.start()
    with here.app.held():
        here.ask("8.88", ref)
        here.app.wait_run(ref)
        here.kill()
        here.start()
        here.ask_again(ref)
        here.wait_answers(1)
    here.app.wait_run(ref, "done")
    here.flush()
    assert here.got() == ["interrupted"] and len(here.app.runs(ref)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("step, again", [("asked", "interrupted"), ("answered", "Approved"), ("sent", "Approved")])
def test_the_file_system_is_read_only_when_the_power_is_back(terminal, step, again):
    here = terminal()
    ref = f"{here.id}-1"
    here.start(crash_at=step)
    here.ask("2.50", ref)
    here.crashed()
    here.start(inside=("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" '
                                                         '&& exec "$@"', here.folder / "state"))
    # It is opened beside the registration.
    here.until(lambda: "cannot be used" in here.client.status().problems.get("journal", ""),
               lambda: f"the journal's problem\n{here.log()}")
    here.flush()
    here.ask_again(ref)
    here.until(lambda: here.got() and here.got()[-1] == again, lambda: f"{again}, got {here.got()}\n{here.log()}")
    here.flush()
    assert len(here.app.runs(ref)) == 1
