"""The upgrade, for money: an agent finds what one of release 1.0.0 left in its journal, in each of its states.

Nothing runs twice, and answers that waited go out. What is right, row by row: what the cloud gets unasked once the
agent is registered, what it gets when it sends the same request again, and how often the application has run it in the
end.
"""
import base64
import os
import sqlite3
import subprocess
import sys
import time

import pytest
from old_journal import CARD, DAY, HOUR, MINUTE, Row, write

# row: (unasked, again, runs)
STATES = {
    Row("handed", "handed", MINUTE): (None, "interrupted", 0),
    Row("handed-long-ago", "handed", 20 * DAY): (None, "interrupted", 0),
    Row("unknown", "unknown", 2 * HOUR): (None, "interrupted", 0),
    Row("unknown-long-ago", "unknown", 29 * DAY): (None, "interrupted", 0),
    Row("answered", "answered", MINUTE): ("Approved", "Approved", 0),
    Row("answered-card", "answered", MINUTE, card=True): ("Approved", "card data deleted", 0),
    Row("answered-late", "answered", 13 * HOUR): (None, "Approved", 0),
    Row("failed", "answered", MINUTE, "failure"): ("not reachable", "not reachable", 0),
    Row("not-run", "answered", MINUTE, "not_run"): ("not reachable", "not reachable", 0),
    Row("delivered", "delivered", 2 * HOUR, delivered=True): (None, "Approved", 0),
    Row("expired", "expired", 2 * HOUR): (None, "Approved", 0),
    Row("scrubbed-card", "scrubbed", 2 * HOUR, card=True, delivered=True): (None, "card data deleted", 0),
    # Delivered more than a day ago: RefIDs are unique for a day, so it is another sale.
    Row("yesterday", "scrubbed", 26 * HOUR, delivered=True): (None, "Approved", 1),
    Row("yesterday-kept", "delivered", 26 * HOUR, delivered=True): (None, "Approved", 1),
}
NOBODY_GOT = {
    Row("nobody-got-it", "answered", 26 * HOUR): (None, "check", 0),
    Row("nobody-got-it-expired", "expired", 26 * HOUR): (None, "check", 0),
    Row("nobody-got-it-scrubbed", "scrubbed", 26 * HOUR): (None, "check", 0),
    Row("nobody-got-it-for-29-days", "scrubbed", 29 * DAY): (None, "check", 0),
    Row("nobody-got-it-card", "scrubbed", 26 * HOUR, card=True): (None, "check", 0),
}


def meaning(here, answer):
    """`Approved`, or what a failure answer says: "check" where it was answered once and must be checked."""
    said = answer.get("Message", "")
    return "check" if "answered" in said and "check" in said else here.word(answer)


def again(here, row):
    """The same bytes come from the cloud once more: what it gets."""
    before = len(here.answers())
    here.cloud.misbehave("raw", terminal=here.id, data=base64.b64encode(row.request + b"\x04\x04").decode())
    here.wait_answers(before + 1)
    return here.answers()[before]


def seen(here, table, same_boot):
    """The table again, as it really is."""
    rows = list(table)
    write(here.folder / "state", rows, same_boot)
    here.start()
    here.wait_answers(sum(unasked is not None for unasked, _, _ in table.values()))
    here.flush()
    unasked = {answer["RefID"]: meaning(here, answer) for answer in here.answers()}
    assert len(unasked) == len(here.answers()), "each at most once"
    asked = {row: meaning(here, again(here, row)) for row in rows}
    return {row: (unasked.get(row.ref), asked[row], len(here.app.runs(row.ref))) for row in rows}


def of_this_terminal(table, here):
    """The same rows with RefIDs that no other test's ledger knows."""
    return {Row(f"{here.id}-{row.ref}", row.state, row.age, row.outcome, row.card, row.delivered): expected
            for row, expected in table.items()}


@pytest.mark.parametrize("same_boot", [True, False], ids=["agent-killed", "power-failure"])
def test_each_state_of_a_journal_of_1_0_0(terminal, same_boot):
    here = terminal()
    if not same_boot:
        # What is of an earlier boot is at least as old as this one, whatever the clock says: see ages.py.
        if time.clock_gettime(time.CLOCK_BOOTTIME) > 11 * HOUR:
            pytest.skip("this machine is up for so long that no answer of an earlier boot is young")
        (here.folder / "settings" / "zz.ini").write_text("[transactions]\nlate_answer = 12h\n")
    table = of_this_terminal(STATES, here)
    assert seen(here, table, same_boot) == table


@pytest.mark.parametrize("same_boot", [True, False], ids=["agent-killed", "power-failure"])
def test_m11_an_answer_that_nobody_got_is_never_paid_for_twice(terminal, same_boot):
    here = terminal()
    table = of_this_terminal(NOBODY_GOT, here)
    assert seen(here, table, same_boot) == table


def test_answers_without_a_ref_id_go_out_too(terminal):
    here = terminal()
    row = Row(f"{here.id}-1", "answered", MINUTE, with_ref=False)
    write(here.folder / "state", [row], same_boot=True)
    here.start()
    here.wait_answers(1)
    assert here.answers()[0]["AuthCode"] == f"OLD-{row.ref}"


def test_card_data_that_waited_is_gone_once_it_was_delivered(terminal):
    here = terminal()
    row = Row(f"{here.id}-1", "answered", MINUTE, card=True)
    write(here.folder / "state", [row, Row(f"{here.id}-2", "delivered", HOUR, delivered=True)], same_boot=True)
    here.start()
    here.wait_answers(1)
    here.wait_state(row.ref, "scrubbed")
    here.stop()
    for file in (here.folder / "state").iterdir():
        assert CARD.encode() not in file.read_bytes(), file.name


def test_the_list_of_an_old_journal_can_be_read_before_any_agent_has_opened_it(terminal):
    here = terminal()
    write(here.folder / "state", list(STATES), same_boot=True)
    done = subprocess.run([sys.executable, "-m", "econduit_terminal.agent", "transactions", "--config-dir",
                           here.folder / "settings"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert all(row.ref in done.stdout for row in STATES), done.stdout


def test_the_file_stays_for_its_owner_alone_and_is_whole(terminal):
    here = terminal()
    file = write(here.folder / "state", list(STATES), same_boot=True)
    here.start()
    here.flush()
    here.stop()
    assert os.stat(file).st_mode & 0o777 == 0o600
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM transactions").fetchone()[0] >= len(STATES)
    finally:
        connection.close()
