import sqlite3

import pytest
from journal_files import WHAT_HAPPENS

from econduit_terminal.agent.journal import schema
from econduit_terminal.agent.journal.journal import Journal
from econduit_terminal.agent.journal.watch import Watch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def journal(path):
    journal = Journal.open(path)
    yield journal
    journal.close()


def test_nothing_is_the_matter_whatever_we_write_ourselves(journal):
    for _ in range(3):
        journal._db.execute("INSERT INTO transactions (state, request_size, received, at_wall, at_boot, at_up) "
                            "VALUES ('handed', 1, 0, 0, '', 0)")
        assert journal.watch.tampering() is None
        journal.untidy = True
        journal.tidy()
        assert journal.watch.tampering() is None and not journal.watch.lookalike


def test_nor_what_somebody_who_reads_does(journal, path):
    reader = schema.connect_to_read(path)
    reader.execute("SELECT count(*) FROM transactions").fetchone()
    reader.close()
    second = sqlite3.connect(path)      # a curious administrator's sqlite3
    second.execute("SELECT count(*) FROM transactions").fetchone()
    second.close()
    assert journal.watch.tampering() is None


@pytest.mark.parametrize("happens, told", WHAT_HAPPENS.values(), ids=WHAT_HAPPENS)
def test_m12_what_happens_to_the_files_is_told(journal, path, happens, told):
    happens(path)
    assert told in journal.watch.tampering()
    assert journal.watch.written_into is ("written" in told)


def test_only_a_file_of_the_same_number_on_another_disk_is_a_lookalike(journal, path):
    inodes = journal.watch._inodes
    assert not journal.watch.lookalike
    inodes[""] = (inodes[""][0] + 1, inodes[""][1])
    assert journal.watch.lookalike


def test_it_is_closed_once(path):
    watch = Watch(path)
    watch.close()
    watch.close()
