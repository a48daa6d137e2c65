import json
import signal

import pytest

from econduit_terminal.agent.status.store import StatusStore


def state(online):
    store = StatusStore("29531204")
    if online:
        store.online("dc.econduitapp.com:80", "10.0.0.2", "eth0")
    else:
        store.offline("cable unplugged")
    return store.snapshot().to_line()


@pytest.mark.parametrize("online, code, words", [
    (True, 0, "POS Online\n"), (False, 1, "POS Offline: cable unplugged\n")])
def test_status_tells_by_words_and_exit_code(agent, canned, settings, online, code, words):
    canned(state(online))
    got = agent("status", "--config-dir", settings)
    assert (got.returncode, got.stdout.startswith(words)) == (code, True), got
    assert "29531204" in got.stdout and "\033" not in got.stdout
    got = agent("--config-dir", settings, "status", "--json")
    assert got.returncode == code and json.loads(got.stdout)["online"] is online
    assert agent("status", ECONDUIT_CONFIG_DIR=str(settings)).returncode == code


def test_status_of_an_agent_that_is_not_there(agent, settings):
    got = agent("status", "--config-dir", settings)
    assert got.returncode == 4 and "not running" in got.stderr and got.stdout == ""
    assert agent("reconnect", "--config-dir", settings).returncode == 4


@pytest.mark.parametrize("answer", [b"hello", b"[]", b'{"online": false, "pid": ' + b"9" * 400 + b"}"])
def test_status_of_something_else(agent, canned, settings, answer):
    canned(answer)
    got = agent("status", "--config-dir", settings)
    assert got.returncode == 4 and "Traceback" not in got.stderr


def test_settings_that_cannot_be_read(agent, canned, tmp_path):
    canned(state(True))
    got = agent("status", "--config-dir", tmp_path / "nowhere")
    assert got.returncode == 2 and "nowhere" in got.stderr and "--socket" in got.stderr
    assert agent("status", "--config-dir", tmp_path / "nowhere", "--socket", tmp_path / "agent.sock").returncode == 0


def test_reconnect_asks_once_and_says_so(agent, status_server, tmp_path):
    process = status_server(tmp_path / "agent.sock")
    while (got := agent("reconnect", "--socket", tmp_path / "agent.sock", "--reason", "test")).returncode == 4:
        pass
    assert got.returncode == 0 and "starting" in got.stdout
    assert json.loads(process.stdout.readline()) == ["reconnect", "test"]


def test_watch_follows_through_a_restart_and_ends_with_ctrl_c(watch, status_server, tmp_path):
    socket = tmp_path / "agent.sock"
    watching = watch(socket)
    assert "not running" in watching.stdout.readline()
    first = status_server(socket)
    assert "POS Offline: starting" in watching.stdout.readline()
    first.stdin.write('["online", "h:80", "10.0.0.2", "eth0"]\n')
    first.stdin.flush()
    assert "POS Online" in watching.stdout.readline()
    first.communicate()
    assert "waiting" in watching.stdout.readline()
    second = status_server(socket)
    while "POS Offline: starting" not in (line := watching.stdout.readline()):
        assert "not running" in line
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate()
    assert watching.returncode == 0 and "Traceback" not in errors
    assert second.poll() is None


def test_wrong_usage_and_version(agent):
    assert agent().returncode == 2
    assert agent("dance").returncode == 2
    assert agent("--version").stdout.startswith("econduit-agent 1")


def test_the_commands_do_without_gevent(agent, canned, settings):
    canned(state(True))
    got = agent("status", "--config-dir", settings, PYTHONPROFILEIMPORTTIME="1")
    assert got.returncode == 0 and "econduit_terminal.contract.client" in got.stderr
    assert "gevent" not in got.stderr and "http.client" not in got.stderr
