import os
import subprocess
import sys

import pytest


def test_right_settings(agent, settings):
    got = agent("check-config", "--config-dir", settings)
    assert got.returncode == 0 and got.stdout.startswith("OK\n")
    for part in ("29531204", "Maker Model1", "dc.econduitapp.com:80", "econduitapp.com:9001", f"{settings}/agent.sock"):
        assert part in got.stdout


def test_every_mistake_at_once(agent, settings):
    (settings / "zz.ini").write_text("[cloud]\nprimary = nonsense\n[heartbeat]\ninterval = soon\n")
    got = agent("check-config", "--config-dir", settings)
    assert got.returncode == 2 and got.stdout == ""
    assert "zz.ini:2: cloud.primary" in got.stderr and "zz.ini:4: heartbeat.interval" in got.stderr


def test_what_works_and_is_seldom_meant(agent, settings):
    (settings / "zz.ini").write_text("[transactions]\nduplicates = run\n")
    got = agent("check-config", "--config-dir", settings)
    assert got.returncode == 0 and "warning: transactions.duplicates: " in got.stdout


@pytest.mark.parametrize("program, warned", [("/nowhere/pay", True), ("/etc/passwd", True), ("/etc", True),
                                             ("/bin/sh", False)])
def test_a_payment_application_that_cannot_be_run(agent, settings, program, warned):
    (settings / "zz.ini").write_text(f"[transactions]\napplication = exec:{program} -x\n")
    got = agent("check-config", "--config-dir", settings)
    said = f"warning: transactions.application: {program} is not a program that can be run"
    assert got.returncode == 0 and (said in got.stdout) is warned


def test_a_reader_that_closed_the_pipe_is_no_mistake(settings):
    reading, writing = os.pipe()
    os.close(reading)
    end = subprocess.run([sys.executable, "-m", "econduit_terminal.agent", "check-config", "--config-dir", settings],
                         stdout=writing, stderr=subprocess.PIPE, timeout=10)
    os.close(writing)
    assert (end.returncode, end.stderr) == (0, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes the agent's user")
def test_root_that_may_not_become_the_agents_user_sees_what_it_can(settings):
    """As in a container without these rights."""
    journal = settings / "journal"
    journal.mkdir()
    os.chown(journal, 12345, 12345)
    (settings / "zz.ini").write_text(f"[local]\nstate_dir = {journal}\n")
    got = subprocess.run(["setpriv", "--bounding-set=-setuid,-setgid", sys.executable, "-m", "econduit_terminal.agent",
                          "check-config", "--config-dir", settings], capture_output=True, text=True, timeout=30)
    assert (got.returncode, got.stderr) == (0, "") and got.stdout.startswith("OK\n"), got
