import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from econduit_terminal.agent.cli import table
from econduit_terminal.conf.version import VERSION


@pytest.mark.parametrize("arguments, wanted", [
    (["run"], {"command": "run", "config_dir": None}),
    (["--config-dir", "/a", "run"], {"config_dir": "/a"}),
    (["run", "--config-dir", "/b"], {"config_dir": "/b"}),
    (["--config-dir", "/a", "run", "--config-dir", "/b"], {"config_dir": "/b"}),
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
    options = vars(table.parse(arguments))
    assert {name: options[name] for name in wanted} == wanted


@pytest.mark.parametrize("arguments", [
    [], ["dance"], ["run", "--json"], ["run", "extra"], ["status", "--reason", "x"], ["watch", "--json"],
    ["--socket", "/s", "status"], ["check-config", "--socket", "/s"], ["reconnect", "--reason"]])
def test_wrong_usage_ends_with_2_and_says_how(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        table.parse(arguments)
    assert ended.value.code == 2
    assert "usage: econduit-agent" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        table.parse(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"econduit-agent {VERSION}\n")


def test_every_command_says_what_it_is_for(capsys):
    with pytest.raises(SystemExit):
        table.parse(["--help"])
    whole = " ".join(capsys.readouterr().out.split())
    for command in table.COMMANDS:
        assert command.about in whole
        with pytest.raises(SystemExit) as ended:
            table.parse([command.name, "--help"])
        own = capsys.readouterr().out
        assert ended.value.code == 0 and command.about in " ".join(own.split()) and "--config-dir DIR" in own


@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda command: command.name)
def test_every_command_names_a_function_that_is_there(command):
    module, _, name = command.function.partition(":")
    assert callable(getattr(import_module(module), name))


def test_a_command_is_imported_when_it_is_called_and_gives_the_exit_code(monkeypatch):
    commands = (table.Command("dance", "dance", "a_module_of_the_test:dance",
                              lambda parser: parser.add_argument("--steps", type=int)),)
    options = table.parse(["dance", "--steps", "3"], commands)
    with pytest.raises(ModuleNotFoundError):
        options.function(options)
    monkeypatch.setitem(sys.modules, "a_module_of_the_test", SimpleNamespace(dance=lambda options: 4 + options.steps))
    assert options.function(options) == 7
