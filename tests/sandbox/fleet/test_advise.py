"""econduit-fleet advise: its file is one that the agent takes."""
import subprocess
import sys
from itertools import pairwise

import pytest

from econduit_terminal.conf.settings import load
from econduit_terminal.sandbox.fleet import advice, advise
from econduit_terminal.sandbox.fleet.figures import Figures
from econduit_terminal.sandbox.fleet.options import PROGRAM
from econduit_terminal.sandbox.fleet.scenes import Cloud

SHIPPED = load(None)
EVERY = tuple((choice, value) for choice in advice.CHOICES for value in choice.values[1:])


def figures(*nearly_all):
    return tuple(Figures("x", 1.0, 2.0, seconds, 9.0, 1.0, 0.0, 1, 0.0) for seconds in nearly_all)


def checked(folder):
    return subprocess.run([sys.executable, "-m", "econduit_terminal.agent", "check-config", "--config-dir", folder],
                          capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("choice, value", EVERY, ids=lambda each: getattr(each, "key", f"{each}"))
def test_the_agent_accepts_whatever_may_be_advised(choice, value, tmp_path):
    settings = advice.changed(SHIPPED, choice, value)
    found = advice.Advice(settings, ((choice, value),), figures(250.0, 220.0, 300.0), figures(56.0, 50.0, 51.0))
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "fleet.ini").write_text(advise.file(found, 100_000, Cloud()))
    (tmp_path / "terminal.ini").write_text("[terminal]\ntype = T\nmodel = M\nid = 29531204\nsoftware_version = 1\n")
    done = checked(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert load(tmp_path).changes(settings) == [f"terminal.{key}" for key in ("type", "model", "id",
                                                                              "software_version")]


def test_the_file_says_for_whom_it_is_and_what_it_brings():
    choice = advice.CHOICES[0]
    found = advice.Advice(SHIPPED, ((choice, 120.0),), figures(250.0, 220.0, float("inf")), figures(56.0, 50.0, 51.0))
    text = advise.file(found, 100_000, Cloud())
    for words in ("# For 100,000 terminals and a cloud that registers 2,000 of them a second", "itself needs 50.0 s",
                  "cut                    250 s          56.0 s", "never", "[registration]", "\ntimeout = 2min\n"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 120
    assert not any(one == two == "" for one, two in pairwise(text.splitlines()))


def test_where_nothing_is_better_the_file_is_a_comment():
    found = advice.Advice(SHIPPED, (), figures(1.0, 1.0, 1.0), figures(1.0, 1.0, 1.0))
    assert all(line.startswith("#") for line in advise.file(found, 1000, Cloud()).splitlines())


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(advice, "SAMPLE", 50)
    monkeypatch.setattr(advice, "CHOICES", ())
    for more, place in (([], None), (["--save", str(tmp_path / "fleet.ini")], tmp_path / "fleet.ini")):
        options = PROGRAM.parse(["advise", "--terminals", "50", "--budget", "50/s", *more])
        assert options.run(options) == 0
        said = capsys.readouterr().out
        assert "# For 50 terminals" in (place.read_text() if place else said) and bool(said) is (place is None)


def test_a_place_that_cannot_be_written(tmp_path, capsys):
    options = PROGRAM.parse(["advise", "--save", str(tmp_path / "nowhere" / "fleet.ini")])
    assert options.run(options) == 2
    assert "nowhere/fleet.ini cannot be written" in capsys.readouterr().err


def test_what_takes_weeks_is_not_tried(capsys):
    options = PROGRAM.parse(["advise", "--terminals", "1M", "--budget", "1/s"])
    assert options.run(options) == 2
    assert "a larger --budget" in capsys.readouterr().err
