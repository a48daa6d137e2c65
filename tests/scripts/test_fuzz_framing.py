"""scripts/fuzz-framing: a few thousand streams; a million are for the script itself."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz-framing"


def fuzz(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=120)


def test_a_few_thousand_streams():
    done = fuzz("--streams", "6000", "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"seed \d+, 6,000 streams on 2 cores\n", done.stdout)
    assert re.search(r"^6,000 streams in \d+ s, \d,\d+ of them mutated: nothing but the wire's own error\n\Z",
                     done.stdout, flags=re.MULTILINE)


def test_one_of_them_again():
    done = fuzz("--seed", "7", "--only", "3")
    assert done.returncode == 0 and re.fullmatch(r"seed 7, stream 3: (whole|mutated)\n", done.stdout)
    assert fuzz("--seed", "7", "--only", "3").stdout == done.stdout


def test_what_goes_wrong_is_shown_with_the_way_to_see_it_again(tmp_path):
    broken = tmp_path / "fuzz-framing"
    broken.write_text(SCRIPT.read_text().replace("    application = rng", "    1 / 0\n    application = rng"))
    done = subprocess.run([sys.executable, broken, "--streams", "10", "--seed", "5"], capture_output=True, text=True,
                          timeout=60, env={**os.environ, "PYTHONPATH": str(SCRIPT.parent)})
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
    assert done.stderr.endswith("again with: scripts/fuzz-framing --seed 5 --only 0\n")


@pytest.mark.parametrize("wrong", [["--streams", "0"], ["--jobs", "0"], ["--seed", "x"]])
def test_wrong_usage(wrong):
    done = fuzz(*wrong)
    assert done.returncode == 2 and done.stderr.startswith("usage: fuzz-framing")
