import pytest

from econduit_terminal.agent.cli import places


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
