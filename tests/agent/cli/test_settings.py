from pathlib import Path
from types import SimpleNamespace

import pytest

from econduit_terminal.agent.cli.settings import USAGE, config_dir, socket_path


def options(config_dir=None, socket=None):
    return SimpleNamespace(config_dir=config_dir and str(config_dir), socket=socket)


@pytest.mark.parametrize("given, environment, wanted", [
    (None, None, "/etc/econduit-terminal"),
    (None, "", "/etc/econduit-terminal"),
    (None, "/from/environment", "/from/environment"),
    ("/given", "/from/environment", "/given"),
])
def test_where_the_settings_are(monkeypatch, given, environment, wanted):
    monkeypatch.delenv("ECONDUIT_CONFIG_DIR", raising=False)
    if environment is not None:
        monkeypatch.setenv("ECONDUIT_CONFIG_DIR", environment)
    assert config_dir(options(given)) == Path(wanted)


def test_the_socket_of_the_settings_unless_another_is_named(settings):
    assert socket_path(options(settings)) == f"{settings}/agent.sock"
    assert socket_path(options(settings, "/other")) == "/other"
    assert socket_path(options("/nowhere", "/other")) == "/other"


def test_settings_with_mistakes_do_not_hide_an_agent_that_runs(settings, capsys):
    (settings / "zz.ini").write_text("[local]\nsokcet = /x\n[heartbeat]\ninterval = soon\n")
    assert socket_path(options(settings)) == f"{settings}/agent.sock"
    assert capsys.readouterr().err == (
        f"the settings have mistakes: econduit-agent check-config --config-dir {settings} lists them\n")


def test_no_settings_at_all_end_the_command(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        socket_path(options(tmp_path / "typo"))
    assert ended.value.code == USAGE
    said = capsys.readouterr().err
    assert f"{tmp_path}/typo: there is no such directory" in said and "--socket PATH" in said
