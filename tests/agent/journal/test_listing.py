import json
import re
import sqlite3
import threading
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from econduit_terminal.agent.journal import listing, schema
from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.journal.entry import Answered, Entry, Outcome, Retention
from econduit_terminal.agent.journal.journal import Journal
from econduit_terminal.conf.settings import load

RETENTION = Retention(1000.0, 600.0)
AT = Moment(1_800_000_000.125, "boot", 5.0)


@pytest.fixture
def settings(tmp_path):
    """The shipped settings with a state_dir of this test's."""
    shipped = load(None)
    chosen = replace(shipped, local=replace(shipped.local, state_dir=str(tmp_path / "state")))
    return lambda: chosen


@pytest.fixture
def journal(settings):
    journal = Journal.open(Path(settings().local.state_dir) / schema.FILE)
    yield journal
    journal.close()


def hand_over(journal, id, ref="7"):
    journal.hand_over(Entry(id, b"%d" % id, ref, "Sale", 120, AT.wall, AT), None, RETENTION)


def run(settings, capsys, **options):
    code = listing.main(settings(), Namespace(**{"json": False, "follow": False, **options}))
    return code, *capsys.readouterr()


def test_what_became_of_each(settings, journal, capsys):
    for id in (1, 2, 3):
        hand_over(journal, id)
    journal.answer(1, Answered(b"Approved 4242", Outcome.ANSWER, None, 0.25), AT)
    journal.deliver(1, AT)
    journal.answer(2, Answered(b"Failed", Outcome.FAILURE, "no answer within 150 s", 150.0), AT)
    journal.lose(AT._replace(up=6.0))
    hand_over(journal, 4)
    assert run(settings, capsys) == (0, (
        "2027-01-15T08:00:00.125Z  RefID 7  Sale  120 bytes in  13 bytes out after 250.0 ms  delivered "
        "2027-01-15T08:00:00.125Z\n"
        "2027-01-15T08:00:00.125Z  RefID 7  Sale  120 bytes in  6 bytes out after 150000.0 ms  to be delivered  "
        "no answer within 150 s\n"
        "2027-01-15T08:00:00.125Z  RefID 7  Sale  120 bytes in  outcome unknown\n"
        "2027-01-15T08:00:00.125Z  RefID 7  Sale  120 bytes in  in progress\n"), "")


def test_json_has_everything_but_bodies(settings, journal, capsys):
    hand_over(journal, 1, ref=None)
    journal.answer(1, Answered(b"Approved 4242", Outcome.ANSWER, None, 0.25), AT)
    _, out, _ = run(settings, capsys, json=True)
    assert json.loads(out) == {
        "id": 1, "received": "2027-01-15T08:00:00.125Z", "ref_id": None, "command": "Sale", "request_size": 120,
        "state": "answered", "outcome": "answer", "reason": None, "answer_size": 13, "ms": 250.0, "delivered": None}


@pytest.mark.parametrize("ref", ["4111.1111.1111.1111", "4111\\t1111\\t1111\\t1111", "４" + "１" * 15])
def test_m16_a_card_number_that_1_0_0_wrote_down_as_a_ref_id_is_masked(settings, journal, capsys, ref):
    hand_over(journal, 1, ref)
    for options in ({}, {"json": True}):
        _, out, _ = run(settings, capsys, **options)
        shown = re.search("RefID(.*?)Sale|ref_id(.*?)command", out)[0]
        assert sum(map(str.isdigit, shown.replace("\\uff11", "1"))) == 4


def test_only_the_last_are_shown(settings, journal, capsys):
    for id in range(1, listing.LAST + 6):
        hand_over(journal, id)
    _, out, _ = run(settings, capsys, json=True)
    assert [json.loads(line)["id"] for line in out.splitlines()] == list(range(6, listing.LAST + 6))


def test_follow_tells_of_new_ones_and_of_changes(settings, journal, capsys, monkeypatch):
    answered = Answered(b"A", Outcome.ANSWER, None, 0.1)
    steps = iter([lambda: hand_over(journal, 1), lambda: None, lambda: journal.answer(1, answered, AT),
                  lambda: journal.deliver(1, AT)])

    def sleep(seconds):
        try:
            next(steps)()
        except StopIteration:
            raise KeyboardInterrupt from None
    monkeypatch.setattr(listing.time, "sleep", sleep)
    code, out, _ = run(settings, capsys, json=True, follow=True)
    assert code == 0
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["handed", "answered", "delivered"]


@pytest.mark.parametrize("file", [False, True])
def test_no_journal_yet(settings, capsys, tmp_path, file):
    if file:        # where its directory should be
        (tmp_path / "state").touch()
    code, out, err = run(settings, capsys)
    assert (code, out) == (1, "") and "the agent has not run yet" in err


@pytest.mark.parametrize("make, why", [
    (lambda file: file.write_bytes(b"broken" * 1000), "file is not a database"),
    (lambda file: file.touch(), "no such table: transactions"),
    (lambda file: file.mkdir(), "disk I/O error"),
    (lambda file: file.symlink_to(file), "Too many levels of symbolic links"),
])
def test_a_damaged_file(settings, capsys, tmp_path, make, why):
    (tmp_path / "state").mkdir()
    make(tmp_path / "state" / schema.FILE)
    code, _, err = run(settings, capsys)
    assert code == 1 and err.endswith(f" cannot be read ({why}): the agent's log says more\n")


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), sqlite3.OperationalError("cannot open")])
def test_who_may_not_read_it_is_told_who_may(settings, capsys, monkeypatch, error):
    def refuse(*arguments):
        if isinstance(error, sqlite3.Error):
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN | 1 << 8
        raise error
    monkeypatch.setattr(listing, "_rows", refuse)
    code, _, err = run(settings, capsys)
    assert code == 1 and err.endswith(": run this as root or as the agent's user\n")


def test_it_can_not_write_and_does_not_hold_the_journal_up(settings, journal, tmp_path):
    hand_over(journal, 1)
    listing._rows(tmp_path / "state" / schema.FILE, None, 0)
    reader = threading.Thread(target=listing._rows, args=(tmp_path / "state" / schema.FILE, None, 0))
    reader.start()
    journal.answer(1, Answered(b"A", Outcome.ANSWER, None, 0.1), AT)
    reader.join()
    connection = sqlite3.connect(f"file:{tmp_path / 'state' / schema.FILE}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM transactions")
    connection.close()
