"""init: a device.toml with every key, and what was answered."""
import builtins

import pytest

from econduit_terminal.sandbox.certify import init
from econduit_terminal.sandbox.certify.device import Ack, Device, Format, parse, template
from econduit_terminal.sandbox.certify.options import PROGRAM, Wrong


def test_it_writes_the_defaults_and_replaces_nothing(tmp_path, capsys):
    path = tmp_path / "device.toml"
    assert init.main(PROGRAM.parse(["init", str(path)])) == 0
    assert parse(path.read_text()) == (Device(), [])
    with pytest.raises(Wrong, match="--force"):
        init.main(PROGRAM.parse(["init", str(path)]))
    assert init.main(PROGRAM.parse(["init", str(path), "--force"])) == 0


def test_answers_are_asked_again_until_they_are_right(monkeypatch, capsys):
    answers = iter(["My \"Maker\"", "29531204", "jsn", "xml", "false", "", "60", "30s", "both", "", "", "true"])
    monkeypatch.setattr(builtins, "input", lambda prompt: next(answers))
    device, mistakes = parse(template(init.ask()))
    assert mistakes == []
    assert (device.terminal_type, device.format, device.secondary, device.heartbeat, device.ack, device.echo) == (
        'My "Maker"', Format.XML, False, 30.0, Ack.BOTH, True)
    assert "the unit is missing" in capsys.readouterr().out


def test_the_end_of_input_keeps_the_rest(monkeypatch):
    def gone(prompt):
        raise EOFError
    monkeypatch.setattr(builtins, "input", gone)
    assert init.ask() == {}
