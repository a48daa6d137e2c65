"""scripts/bench-fleet: a quick look at each part. Whether the figures are reached is not asked here."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench-fleet"
PARTS = ("capacity", "agree")

pytestmark = pytest.mark.slow


def bench(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=170)


def rows(done):
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    machine, _, heads, line, *found = done.stdout.splitlines()
    assert "Linux" in machine and "reached" in heads and set(line) == {"|", "-"}
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in found if row]
    assert done.returncode == any(row[-1] == "**no**" for row in cells)
    return cells


def test_what_the_cloud_carries():
    found = rows(bench("--only", "capacity", "--capacity", 60, "--sales", "20/s", "--seconds", 1, "--rounds", 1))
    assert found[0][1:] == ["60", "60", "yes"]
    figures = {row[0]: row[1] for row in found}
    assert any(re.fullmatch(r"-?[0-9.]+ kB", figure) for what, figure in figures.items() if "memory" in what)
    assert figures["sales that were not approved"] == "0"


def test_real_sockets_beside_the_model():
    found = rows(bench("--only", "agree", "--scene", "cut", "--terminals", 20, "--budget", "20/s"))
    assert [row[0] for row in found] == ["cut: 50% back", "cut: 99% back"]
    assert all(re.fullmatch(r"[0-9.]+ s", cell) for row in found for cell in row[1:3])


def test_a_scene_that_takes_too_long_is_ended_and_said():
    done = bench("--only", "agree", "--scene", "cut", "--terminals", 2, "--budget", "2/s", "--patience", 0.5)
    assert done.returncode == 1 and "bench-fleet: cut was not over after 0.5 s" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_parts_are_listed():
    assert [line.split()[0] for line in bench("--list").stdout.splitlines()] == list(PARTS)


@pytest.mark.parametrize("wrong", [("--only", "nothing"), ("--rounds", "0"), ("--budget", "many"), ("--seconds", "0"),
                                   ("--patience", "nan")])
def test_wrong_usage(wrong):
    done = bench(*wrong)
    assert done.returncode == 2 and done.stderr.startswith("usage: bench-fleet")
