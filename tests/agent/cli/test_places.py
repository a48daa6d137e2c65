import os
from pathlib import Path

import pytest

from econduit_terminal.agent.cli import places
from econduit_terminal.agent.journal.schema import FILE


@pytest.fixture
def warned(agent, settings):
    """warned(key=value, …): check-config's warnings with this [local]."""
    def check(**local):
        chosen = {"socket": settings / "agent.sock", "status_file": "", "state_dir": settings, **local}
        lines = [f"{key} = {value}\n" for key, value in chosen.items()]
        (settings / "own.ini").write_text(
            "[terminal]\ntype = Maker\nmodel = Model1\nid = 29531204\n[local]\n" + "".join(lines))
        got = agent("check-config", "--config-dir", settings)
        assert got.returncode == 0 and got.stderr == ""
        return [line for line in got.stdout.splitlines() if line.startswith("warning: ")]
    return check


def test_places_that_serve(warned, settings):
    assert warned() == []
    assert warned(status_file=settings / "status.json") == []
    assert warned(state_dir=settings / "made/by/the agent") == []


@pytest.mark.parametrize("key, file", [("socket", "agent.sock"), ("status_file", "status.json")])
def test_a_directory_that_is_not_there(warned, settings, key, file):
    warning, = warned(**{key: settings / "not there" / file})
    assert f"local.{key}: the directory {settings}/not there is not there" in warning
    assert warning.endswith(f" -m 0755 '{settings}/not there'")


@pytest.mark.parametrize("key, file", [("socket", "/agent.sock"), ("status_file", "/status.json"), ("state_dir", "")])
def test_a_file_in_its_place(warned, settings, key, file):
    (settings / "file").touch()
    warning, = warned(**{key: f"{settings}/file{file}"})
    assert f"local.{key}: the directory {settings}/file is not one; until it can be used, " in warning
    assert "; name one that belongs to " in warning


def test_a_journal_that_cannot_be_made(warned, settings):
    (settings / "file").touch()
    warning, = warned(state_dir=settings / "file/journal")
    assert "is not there; until it can be used, what was charged is forgotten whenever" in warning


def test_what_the_launcher_makes_at_each_start(monkeypatch, tmp_path):
    local = type("Local", (), {"state_dir": f"{tmp_path}", "socket": f"{tmp_path}/run/agent.sock", "status_file": None})
    assert list(places.warnings(local, places.agents_user(local.state_dir)))
    monkeypatch.setattr(places, "LAUNCHER", tmp_path)
    monkeypatch.setattr(places, "MADE_AT_START", (tmp_path / "run",))
    assert list(places.warnings(local, places.agents_user(local.state_dir))) == []


@pytest.mark.parametrize("name, key, consequence", [
    (FILE, "state_dir", "forgotten"), ("agent.lock", "state_dir", "a second agent"),
    ("agent.sock.lock", "socket", "a second agent")])
def test_what_an_agent_that_root_ran_by_hand_left_to_root(monkeypatch, tmp_path, name, key, consequence):
    (tmp_path / name).touch()
    monkeypatch.setattr(places.os, "access", lambda path, mode: Path(path).name != name)
    local = type("Local", (), {"state_dir": f"{tmp_path}", "socket": f"{tmp_path}/agent.sock", "status_file": None})
    warning, = places.warnings(local, places.User(os.geteuid(), os.getegid(), "econduit"))
    assert warning.startswith(f"local.{key}: {tmp_path}/{name} may not be read and written by econduit; ")
    assert consequence in warning and warning.endswith(f"; chown econduit {tmp_path}/{name}")
