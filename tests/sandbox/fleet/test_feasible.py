"""What cannot be done is said, and why."""
from pathlib import Path

from econduit_terminal.sandbox.fleet import feasible
from econduit_terminal.sandbox.fleet.play import Run
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, Cloud

AWAY = BY_NAME["away"]


def test_what_takes_weeks_is_not_played(capsys):
    assert feasible.playable([Run(AWAY, 1_000_000, 86_400.0)])
    assert capsys.readouterr().err == ""
    assert not feasible.playable([Run(AWAY, 10, 600.0), Run(AWAY, 10, 1e9), Run(AWAY, 20_000, 600.0, Cloud(0.001))])
    long, slow = capsys.readouterr().err.splitlines()
    assert "up to 11,574 days would be played, 7 are possible" in long and "a shorter outage" in long
    assert "the cloud needs 231.5 days" in slow and "a larger --budget" in slow


def test_what_is_in_a_file_stays_until_there_is_something_better(tmp_path):
    (tmp_path / "old.html").write_text("old")
    assert feasible.writable(tmp_path / "old.html") and (tmp_path / "old.html").read_text() == "old"
    assert feasible.write(tmp_path / "old.html", "new") and (tmp_path / "old.html").read_text() == "new"


def test_a_place_that_cannot_be_written(tmp_path, capsys):
    assert not feasible.writable(tmp_path) and not feasible.writable(tmp_path / "nowhere" / "it.html")
    directory, nowhere = capsys.readouterr().err.splitlines()
    assert directory == f"econduit-fleet: {tmp_path} cannot be written (Is a directory)"
    assert nowhere.endswith("nowhere/it.html cannot be written (No such file or directory)")


def test_a_disk_that_is_full(capsys):
    full = Path("/dev/full")
    assert feasible.writable(full) and not feasible.write(full, "x")
    assert capsys.readouterr().err == "econduit-fleet: /dev/full cannot be written (No space left on device)\n"
