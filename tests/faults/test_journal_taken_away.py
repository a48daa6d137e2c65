"""Somebody takes the journal's file away from a running agent: it is noticed, and nothing runs twice then (M12)."""
import os
import shutil
import sqlite3
import subprocess

import pytest

NOTICED = 60.0


def removed(here, state):
    (state / "journal.sqlite3").unlink()


def directory_removed(here, state):
    shutil.rmtree(state)


def log_removed(here, state):
    (state / "journal.sqlite3-wal").unlink()


def renamed_over(here, state):
    other = state / "other"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    os.replace(other, state / "journal.sqlite3")


def truncated(here, state):
    os.truncate(state / "journal.sqlite3", 0)


def mounted_over(here, state):
    subprocess.run(["nsenter", "-t", str(here.process.pid), "-m", "mount", "-t", "tmpfs", "none", state], check=True)


TAKEN = [removed, directory_removed, log_removed, renamed_over, truncated, pytest.param(
    mounted_over, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"))]


@pytest.mark.parametrize("take", TAKEN)
def test_m12_it_is_noticed_by_itself_and_set_right_from_memory(terminal, take):
    here = terminal()
    inside = ("unshare", "--mount", "--propagation", "private") if take is mounted_over else ()
    here.start(inside=inside)
    here.ask("2.50", f"{here.id}-1")
    here.wait_answers(1)
    here.flush()
    take(here, here.folder / "state")
    here.until(lambda: "journal.sqlite3" in here.client.status().problems.get("journal", ""), here.log, NOTICED)
    here.ask("2.50", f"{here.id}-2")
    here.wait_answers(2)
    here.flush()
    if take is mounted_over:        # what was written there is there after a restart, if the mount is
        subprocess.run(["nsenter", "-t", str(here.process.pid), "-m", "cp", "-a", here.folder / "state" / ".",
                        here.folder / "mounted"], check=True)
    here.kill()
    if take is mounted_over:
        shutil.rmtree(here.folder / "state")
        shutil.move(here.folder / "mounted", here.folder / "state")
    here.start()
    for number in (1, 2):
        here.ask_again(f"{here.id}-{number}")
        here.wait_answers(2 + number)
        assert len(here.app.runs(f"{here.id}-{number}")) == 1
    assert here.got() == ["Approved"] * 4
