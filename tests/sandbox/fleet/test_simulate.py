"""econduit-fleet simulate, as a person calls it."""
import json

import pytest

from econduit_terminal.sandbox.fleet.options import PROGRAM
from econduit_terminal.sandbox.fleet.scenes import SCENES

FEW = ("--terminals", "50", "--budget", "50/s", "--outage", "5s")


def simulate(*words):
    options = PROGRAM.parse(["simulate", *map(str, words)])
    return options.run(options)


def test_the_table_and_the_verdict(capsys):
    assert simulate(*FEW) == 0
    title, headings, *rows, said = capsys.readouterr().out.strip().splitlines()
    assert title == "away: the cloud refuses every dial for 5.0 s; 50 terminals, 50 registrations a second"
    assert headings.split()[0] == "policy" and headings.endswith("wasted")
    assert [row[:18].strip() for row in rows] == ["eConduit terminal", "naive 1 s", "plain exponential",
                                                  "AWS full jitter"]
    assert said.startswith("Of 50 terminals 99 % are back after")


def test_json_has_every_scene_and_null_for_never(capsys):
    assert simulate("--scene", "crowded", "--terminals", "200", "--budget", "4/s", "--outage", "20s", "--json") == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["scene"], run["terminals"], run["limit"]) == ("crowded", 200, 50.0)
    assert [row["worst"] for row in run["policies"] if row["policy"] == "naive 1 s"] == [None]


def test_all_scenes_alone(capsys):
    assert simulate("--scene", "all", *FEW, "--alone", "--json") == 0
    runs = json.loads(capsys.readouterr().out)
    assert [run["scene"] for run in runs] == [scene.name for scene in SCENES]
    assert {run["outage"] for run in runs if run["scene"] != "cut"} == {5.0} and runs[0]["outage"] == 0
    assert [[row["policy"] for row in run["policies"]] for run in runs] == [["eConduit terminal"]] * len(SCENES)


def test_the_terminals_settings_count(capsys, tmp_path):
    (tmp_path / "reconnect.ini").write_text("[reconnect]\nfirst_retry = 10s\n")
    worst = []
    for more in ((), ("--config-dir", tmp_path)):
        simulate("--scene", "cut", "--terminals", "50", "--alone", "--json", *more)
        worst.append(json.loads(capsys.readouterr().out)[0]["policies"][0]["worst"])
    assert worst[0] < 0.5 < 5 < worst[1]


@pytest.mark.parametrize("words, said", [
    (["--outage", "100000h"], "a shorter outage"), (["--budget", "0.00001/s"], "a larger --budget"),
    (["--rtt", "5s"], "--rtt 5s: no connection would open within reconnect.connect_timeout (5s)"),
    (["--save", "/"], "/ cannot be written (Is a directory)")])
def test_what_cannot_be_is_said_before_anything_is_played(capsys, words, said):
    assert simulate(*FEW, *words) == 2
    done = capsys.readouterr()
    assert done.out == "" and said in done.err


def test_a_disk_that_is_full_takes_no_report(capsys):
    assert simulate(*FEW, "--alone", "--save", "/dev/full") == 2
    done = capsys.readouterr()
    assert "Of 50 terminals" in done.out and "/dev/full cannot be written (No space left on device)" in done.err


def test_wrong_settings_are_said_as_the_agent_says_them(capsys, tmp_path):
    (tmp_path / "reconnect.ini").write_text("[reconnect]\nbase_dely = 10s\n")
    assert simulate(*FEW, "--config-dir", tmp_path) == 2
    assert "reconnect.ini:2: reconnect.base_dely" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--terminals", "0"], ["--budget", "fast"], ["--scene", "nope"], ["--seed", "-1"]])
def test_a_wrong_command_line_says_what_is_right(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        simulate(*words)
    assert stopped.value.code == 2 and "error: argument" in capsys.readouterr().err
