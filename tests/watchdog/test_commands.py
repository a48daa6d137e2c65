"""The command line: what it takes, and what wrong settings do to a command."""
import pytest

from econduit_terminal.process.commands import call
from econduit_terminal.watchdog import commands

WORK = {"check": "check_layers", "links": "show_links"}


@pytest.mark.parametrize("name", WORK)
def test_wrong_settings_are_told_to_who_asks_and_hide_nothing(tmp_path, monkeypatch, capsys, name):
    file = tmp_path / "own.ini"
    file.write_text("[watchdog]\npoll = soon\n[local]\nsocket = /run/of-this-test.sock\n")
    seen = []
    monkeypatch.setattr(commands, WORK[name], lambda config: seen.append(config.socket) or 0)
    options = commands.PROGRAM.parse([name, "--config-dir", str(tmp_path)])
    assert call(options) == commands.SETTINGS_WRONG == 2
    assert seen == ["/run/of-this-test.sock"] and f"{file}:2: watchdog.poll" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--config-dir", "{0}", "check"), ("check", "--config-dir", "{0}")])
def test_the_directory_may_stand_before_and_after_the_command(tmp_path, monkeypatch, arguments):
    (tmp_path / "own.ini").write_text("[local]\nsocket = /run/of-this-test.sock\n")
    seen = []
    monkeypatch.setattr(commands, "check_layers", lambda config: seen.append(config.socket) or 0)
    options = commands.PROGRAM.parse([argument.format(tmp_path) for argument in arguments])
    assert call(options) == 0 and options.config_dir == tmp_path
    assert seen == ["/run/of-this-test.sock"]


def test_ctrl_c_ends_it_quietly(tmp_path, monkeypatch):
    def interrupted(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "show_links", interrupted)
    assert call(commands.PROGRAM.parse(["links", "--config-dir", str(tmp_path)])) == 130
