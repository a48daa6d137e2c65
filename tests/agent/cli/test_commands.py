from pathlib import Path

import pytest

from econduit_terminal.agent.cli.commands import PROGRAM
from econduit_terminal.conf.version import VERSION


@pytest.mark.parametrize("arguments, wanted", [
    (["run"], {"command": "run", "config_dir": None}),
    (["--config-dir", "/a", "run"], {"config_dir": Path("/a")}),
    (["run", "--config-dir", "/b"], {"config_dir": Path("/b")}),
    (["--config-dir", "/a", "run", "--config-dir", "/b"], {"config_dir": Path("/b")}),
    (["status"], {"socket": None, "json": False}),
    (["status", "--json", "--socket", "/s"], {"socket": "/s", "json": True}),
    (["watch", "--socket=/s"], {"socket": "/s"}),
    (["reconnect"], {"reason": "asked for by econduit-agent reconnect", "socket": None}),
    (["reconnect", "--reason", "new SIM"], {"reason": "new SIM"}),
    (["transactions"], {"json": False, "follow": False}),
    (["transactions", "--follow", "--json"], {"json": True, "follow": True}),
    (["check-config"], {"command": "check-config"}),
])
def test_what_is_said_is_what_is_meant(arguments, wanted):
    options = vars(PROGRAM.parse(arguments))
    assert {name: options[name] for name in wanted} == wanted


@pytest.mark.parametrize("arguments", [
    [], ["dance"], ["run", "--json"], ["run", "extra"], ["status", "--reason", "x"], ["watch", "--json"],
    ["--socket", "/s", "status"], ["check-config", "--socket", "/s"], ["reconnect", "--reason"]])
def test_wrong_usage_ends_with_2_and_says_how(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        PROGRAM.parse(arguments)
    assert ended.value.code == 2
    assert "usage: econduit-agent" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        PROGRAM.parse(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"econduit-agent {VERSION}\n")


def test_every_command_says_what_it_is_for(capsys):
    with pytest.raises(SystemExit):
        PROGRAM.parse(["--help"])
    whole = " ".join(capsys.readouterr().out.split())
    for command in PROGRAM.commands:
        assert command.about in whole
        with pytest.raises(SystemExit) as ended:
            PROGRAM.parse([command.name, "--help"])
        own = capsys.readouterr().out
        assert ended.value.code == 0 and command.about in " ".join(own.split()) and "--config-dir DIR" in own
