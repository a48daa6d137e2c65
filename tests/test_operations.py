"""docs/operations.md: what a terminal can show, count and log is in it, and what is in it can happen."""
import re
from pathlib import Path

import pytest

from econduit_terminal.agent.status.metrics import Measures, render
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.agent.transactions import failure_reasons, report

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/operations.md").read_text()
SOURCES = "\n".join(file.read_text() for folder in ("agent", "watchdog", "conf", "process")
                    for file in (ROOT / folder).rglob("*.py"))


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading."""
    part = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    section, = (text for text in part if text.startswith(heading))
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(heading: str) -> set[str]:
    """What stands in backticks in the first column under a heading."""
    return {name for row in rows(heading) for name in re.findall(r"`([^`]+)`", row[0])}


def test_every_metric():
    store = StatusStore()
    measures = Measures("starting", 0.0)
    measures.offline("closed", 1.0)
    names = set(re.findall(r"^# TYPE (\S+)", render(store.snapshot(), measures, 2.0, {"last_ack": 1.0,
                           "watchdog_report": 1.0}), flags=re.MULTILINE))
    observed = set(re.findall(r'\.observe\("(\w+)"', SOURCES.replace('`observe("', "")))
    names |= {f"econduit_{name}_seconds_sum" for name in observed}
    assert names == {name.partition("{")[0] for name in named("Metrics") if name.startswith("econduit_")}


def test_every_state_of_a_transaction():
    states = {name for name in named("Metrics") if not name.startswith(("econduit_", "_"))}
    assert states == {*report.COUNTED, "lost"}


def test_every_problem():
    said = set(re.findall(r'\.problem\("([^"]+)"', SOURCES)) - {"…"}
    assert said <= named("Problems shown beside")


def test_every_reason_for_the_pos():
    beginnings = [name.partition("…")[0].rstrip() for name in named("What the POS is told")]
    for reason in (text.format(when="on …", command="Sale") for name, text in vars(failure_reasons).items()
                   if name.isupper()):
        assert any(reason.startswith(beginning) for beginning in beginnings), reason


@pytest.mark.parametrize("row", [row for row in rows("Log lines") if row[0].isupper()], ids=lambda row: row[1])
def test_each_log_line_exists_at_its_level(row):
    level, line = row[0].lower(), row[1].strip("`")
    # log.log: the caller chooses, INFO for what is new and DEBUG for the same again
    calls = re.findall(rf"log\.(?:{level}|log)\((.*?)\)\n", SOURCES, flags=re.DOTALL)
    assert any(line in re.sub(r'"\s*"', "", call) for call in calls)
