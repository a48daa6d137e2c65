"""scripts/bench-link: a quick look at every row. Whether the figures are reached is not asked here."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench-link"
ROWS = ("failover", "restart", "relay", "start", "rest", "memory")


def bench(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_measured(row, tmp_path):
    done = bench("--rounds", "1", "--idle", "0.5", "--folder", tmp_path, row)
    assert done.returncode in (0, 1) and done.stderr == ""
    _, *lines = done.stdout.splitlines()
    if lines[0].startswith("memory: not measured"):
        pytest.skip(lines[0])       # Debian's Python has not the packages that the product needs
    reached = [re.search(r"≤ [0-9.]+ (?:s|ms|MB|%) +-?[0-9.e+-]+ (?:s|ms|MB|%)  (yes|NO)\b", line) for line in lines]
    assert lines and all(reached), done.stdout
    assert done.returncode == any(found[1] == "NO" for found in reached)
    assert list(tmp_path.iterdir()) == []


def test_the_rows_are_listed():
    assert [line.split()[0] for line in bench("--list").stdout.splitlines()] == list(ROWS)


@pytest.mark.parametrize("wrong", [["no-such-row"], ["--rounds", "0"], ["--rounds", "x"], ["--idle", "-1"],
                                   ["--idle", "nan"], ["--folder", "/no/such/folder"]])
def test_wrong_usage(wrong):
    done = bench(*wrong)
    assert done.returncode == 2 and done.stderr.startswith("usage: bench-link")


def test_it_can_be_run():
    assert SCRIPT.stat().st_mode & 0o111
