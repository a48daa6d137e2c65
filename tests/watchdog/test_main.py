"""The program as a process: what it says, how it ends."""
import os
import signal
import socket
import subprocess
import sys

import pytest
from fake_agent import FakeAgent

from econduit_terminal.conf.version import VERSION

PROGRAM = "-m", "econduit_terminal.watchdog"


def run(*arguments):
    return subprocess.run([sys.executable, *PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=30)


def test_the_version_and_the_help():
    assert run("--version").stdout == f"econduit-watchdog {VERSION}\n"
    told = run("--help").stdout
    assert all(name in told for name in ("run", "check", "links")) and "--keep" not in run("run", "--help").stdout


def test_without_a_command_it_says_which_there_are():
    done = run()
    assert done.returncode == 2 and "run | check | links" in done.stderr


@pytest.mark.parametrize("name", ["check", "links"])
def test_without_settings_nothing_can_be_asked(tmp_path, name):
    done = run(name, "--config-dir", tmp_path / "typo")
    assert done.returncode == 2 and "there is no such directory" in done.stderr and "--config-dir" in done.stderr


def test_links_shows_what_is_there_and_ends_with_ctrl_c(tmp_path):
    shown = subprocess.Popen([sys.executable, "-u", *PROGRAM, "links", "--config-dir", tmp_path],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "interface new" in shown.stdout.readline()
    shown.send_signal(signal.SIGINT)
    assert shown.communicate(timeout=10)[1] == "" and shown.returncode == 130


def test_a_reader_that_went_ends_it_quietly(tmp_path):
    """As in `check | head -1`: the pipe is closed before the first line."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, *PROGRAM, "check", "--config-dir", tmp_path], stdout=writing,
                          stderr=subprocess.PIPE, text=True, timeout=30)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_names_the_layer_by_its_exit_status(tmp_path):
    """With no such interface: the link fails, and everything above it is skipped."""
    (tmp_path / "own.ini").write_text(f"[watchdog]\ninterfaces = none0\n[local]\nsocket = {tmp_path}/agent.sock\n")
    done = run("check", "--config-dir", tmp_path)
    assert done.returncode == 10 and "FAIL link         none0: not there" in done.stdout
    assert "SKIP gateway" in done.stdout and "FAIL agent" in done.stdout


def test_t10_check_asks_what_the_agent_dials_and_not_what_the_settings_name(tmp_path):
    """An endpoint on this machine: no network is needed to reach it."""
    agent = FakeAgent(tmp_path / "agent.sock")
    (tmp_path / "own.ini").write_text(f"[local]\nsocket = {agent.path}\n[cloud]\nprimary = 127.0.0.1:1\n"
                                      "secondary =\n[watchdog]\nprobe_timeout = 500ms\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}"
        agent.dialed((name, "refused registration", ["127.0.0.1"]), reason="registration refused: FAILED-REGISTRATION")
        done = run("check", "--config-dir", tmp_path)
    agent.close()
    assert f"PASS {name}" in done.stdout and "127.0.0.1:1 " not in done.stdout, done.stdout + done.stderr
    assert "FAIL registered   registration refused: FAILED-REGISTRATION" in done.stdout
