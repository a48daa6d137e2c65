"""scripts/bench-recovery: its table's arithmetic, its command line, and one row for real. Whether figures are reached
is not asked here."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from econduit_terminal.sandbox.lab.netlab import TOOLS

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SCRIPT = SCRIPTS / "bench-recovery"
ROWS = ("cable", "silent", "forget", "wifi", "restart", "cuts", "outage", "syns", "hang", "idle", "alarms")

_spec = importlib.util.spec_from_file_location("bench_table", SCRIPTS / "bench/table.py")
table = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = table
_spec.loader.exec_module(table)


def bench(*arguments, timeout=120):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=timeout)


@pytest.mark.parametrize("samples, reach, met", [
    ([1, 2, 3], table.Reach(median=2), True),
    ([1, 2.1, 3], table.Reach(median=2), False),
    ([1, 2, 3], table.Reach(median=2, worst=3), True),
    ([1, 2, 3.1], table.Reach(median=2, worst=3), False),
    ([1] * 100 + [9], table.Reach(p99=1), True),        # one of 101 may be slower, two may not
    ([1] * 99 + [9, 9], table.Reach(p99=1), False),
    ([1, 1, table.NEVER], table.Reach(median=1), True),
    ([1, table.NEVER, table.NEVER], table.Reach(median=1), False),
    ([1, 1, table.NEVER], table.Reach(worst=1e9), False),
    ([5], table.Reach(), True),
])
def test_when_a_figure_is_reached(samples, reach, met):
    assert reach.met(samples) is met


def test_who_was_not_seen_again_is_slower_than_any_other(capsys):
    lines = table.Table()
    lines.times("cut", "product", [0.1, None, 0.3], table.Reach(median=0.4, worst=0.4))
    lines.times("cut", "bare client", [0.001, 0.002])
    lines.times("cut", "paho-mqtt", [])
    lines.figure("packets", "product", 61, "", 62)
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| cut | product | 300 ms |  | not seen | 3 | median ≤ 400 ms, worst ≤ 400 ms | **no** |",
        "| cut | bare client | 1.5 ms |  | 2 ms | 2 |  |  |",
        "| cut | paho-mqtt | — | — | — | 0 |  |  |",
        "| packets | product | 61 |  |  |  | ≤ 62 | yes |",
    ]
    assert lines.missed == ["cut"]


def test_the_rows_are_listed():
    assert [line.split()[0] for line in bench("--list").stdout.splitlines()] == list(ROWS)


@pytest.mark.parametrize("wrong", [
    ["--only", "no-such-row"], ["--rounds", "0"], ["--outage", "10"], ["--terminals", "0"]])
def test_wrong_usage(wrong):
    done = bench(*wrong)
    assert done.returncode == 2 and done.stderr.startswith("usage: bench-recovery")


@pytest.mark.skipif(os.geteuid() != 0, reason="it makes networks of its own, as root")
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs all of {', '.join(TOOLS)}")
def test_a_row_is_measured_beside_the_bare_client():
    done = bench("--only", "forget", "--rounds", "1")
    assert done.returncode in (0, 1), done.stderr
    product, bare = (line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| router forgets"))
    assert product[1] == "product" and re.fullmatch(r"[0-9.]+ m?s", product[2]), done.stdout
    assert bare[1] == "bare client" and re.fullmatch(r"[0-9.]+ m?s", bare[2]), done.stdout
    assert done.returncode == ("**no**" in product[-1])
    assert "forget: round 1 of 1" in done.stderr
