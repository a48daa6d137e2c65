"""scripts/build-fleet-docs: its parts; a whole run takes minutes."""
import importlib.machinery
import importlib.util
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from econduit_terminal.conf.settings import load
from econduit_terminal.sandbox.fleet.advice import CHOICES, Advice
from econduit_terminal.sandbox.fleet.figures import Figures

ROOT = Path(__file__).resolve().parents[2]
FIGURES = tuple(Figures("x", 1.0, 2.0, seconds, 9.0, 1.0, 0.0, 1, 0.0) for seconds in (250.0, float("inf"), 51.0))


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("build_fleet_docs", str(ROOT / "scripts" / "build-fleet-docs"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("build_fleet_docs", loader))
    loader.exec_module(module)
    return module


def test_a_row_for_the_shipped_settings_and_one_for_what_is_advised(script):
    found = Advice(load(None), ((CHOICES[0], 60.0),), FIGURES, FIGURES)
    assert script.rows(20_000, found) == ["| 20,000 | 10.0 s | as shipped | 250 s | never | 51.0 s |",
                                          "| | | `registration.timeout = 1min` | 250 s | never | 51.0 s |"]
    assert len(script.rows(20_000, replace(found, chosen=()))) == 1


def test_only_what_stands_between_the_marks_is_written(script):
    page = f"before\n{script.BEGIN}old\n{script.END}after\n"
    assert script.written(page, "new\n") == f"before\n{script.BEGIN}new\n{script.END}after\n"
    with pytest.raises(ValueError, match="lacks"):
        script.written("no marks", "new\n")


def test_the_page_has_its_figures_and_plots(script):
    generated = script.PAGE.read_text(encoding="utf-8").partition(script.BEGIN)[2].partition(script.END)[0]
    assert [f"| {number:,} |" in generated for number in script.FLEETS] == [True] * len(script.FLEETS)
    shown = re.findall(r"\]\((fleet-[a-z-]+\.svg)\)", generated)
    assert shown == [f"fleet-{name}.svg" for name, _, _ in script.PLOTS]
    for picture in shown:
        assert ElementTree.parse(ROOT / "docs" / picture).getroot().tag.endswith("svg")
