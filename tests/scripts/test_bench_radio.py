"""scripts/bench-radio: its table's arithmetic and its command line. What it measures is what tests/radio does."""
import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from radio_events import DHCLIENT, EVENTS, Times

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/bench-radio"


@pytest.fixture(scope="module")
def script():
    loader = importlib.machinery.SourceFileLoader("bench_radio", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_radio", loader))
    loader.exec_module(module)
    return module


def bench(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=60)


def test_a_row_has_medians_and_worst_ones(script):
    assert script.line("roam", [Times(0.1, 1.5), Times(0.3, 0.5), Times(0.2, 0.25)]) \
        == "| roam | 200 ms | 300 ms | 500 ms | 1.50 s | 3 |"


def test_the_events_are_listed():
    assert bench("--list").stdout.splitlines() == [event.name for event in (*EVENTS, DHCLIENT)]


def test_events_are_chosen_by_a_word(script):
    assert [event.name for event in script.chosen("range,DHCP")] == ["out of range and back", "DHCP gone and back"]
    assert len(script.chosen("")) == len(EVENTS) + 1


@pytest.mark.parametrize("wrong", [["--only", "no such event"], ["--only", ","], ["--rounds", "0"]])
def test_wrong_usage(wrong):
    done = bench(*wrong)
    assert done.returncode == 2 and done.stderr.startswith("usage: bench-radio")
