"""The report is one page that needs nothing else."""
import re
from datetime import UTC, datetime

from econduit_terminal.conf.settings import load
from econduit_terminal.sandbox.fleet import report
from econduit_terminal.sandbox.fleet.options import PROGRAM
from econduit_terminal.sandbox.fleet.play import Run, play
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, Cloud


def test_it_says_all_and_fetches_nothing():
    run = Run(BY_NAME["away"], 20, 5.0, Cloud(budget=20.0))
    outcomes = [play(run, make()) for make in run.behaviours(load(None))]
    text = report.page([(run, outcomes)], "the <settings>", datetime(2026, 11, 26, 12, 0, tzinfo=UTC))
    for words in ("away: the cloud refuses every dial", "the &lt;settings&gt;", "AWS full jitter", "2026-11-26 12:00",
                  "Of 20 terminals 99 % are back after", "1.0 s"):
        assert words in text
    assert text.count("<svg") == 1
    assert re.findall(r"""(?:src|href)=["'](?!#)""", text) == []
    assert "url(http" not in text and "<script" not in text


def test_it_is_saved(tmp_path, capsys):
    words = ["simulate", "--terminals", "20", "--outage", "5s", "--scene", "away", "--scene", "cut"]
    options = PROGRAM.parse([*words, "--save", str(tmp_path / "report.html")])
    assert options.run(options) == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2 and "the shipped settings" in text
    assert "report.html" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys):
    options = PROGRAM.parse(["simulate", "--terminals", "20", "--save", str(tmp_path / "nowhere" / "report.html")])
    assert options.run(options) == 2
    assert "nowhere/report.html cannot be written (No such file or directory)" in capsys.readouterr().err
