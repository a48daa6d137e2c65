"""The commands, asked by somebody who is not in the group: they say so, and what to join."""
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

# Becomes nobody once all is imported: what this Python is made of need not be readable for everybody.
PROGRAM = """
import importlib, os, pkgutil, sys
import encodings.idna, gzip, lzma, sqlite3, zlib
program, *arguments = sys.argv[1:]
import econduit_terminal.agent.cli, econduit_terminal.watchdog
for package in (econduit_terminal.agent.cli, econduit_terminal.watchdog):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"): importlib.import_module(module.name)
main = importlib.import_module(f"econduit_terminal.{program}.__main__").main
os.setgroups([]); os.setgid(65534); os.setuid(65534); os.chdir("/tmp")
sys.exit(main(arguments))
"""
DAEMON = 1
JOIN = "run this as root or as a member of the group daemon (sudo adduser nobody daemon, then log in again)"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")


@pytest.fixture
def installed():
    """A terminal's settings, journal and socket with the modes that the package gives them, for a group `daemon`."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        base = Path(folder)
        base.chmod(0o755)
        (base / "etc/conf.d").mkdir(parents=True)
        (base / "state").mkdir()
        (base / "state/journal.sqlite3").touch(0o600)
        (base / "etc/terminal.ini").write_text(
            f"[terminal]\ntype = Maker\nmodel = M1\nid = 29531204\n[local]\nsocket = {base}/agent.sock\n"
            f"state_dir = {base}/state\n[watchdog]\npoll = 50ms\n")
        (base / "etc/conf.d/own.ini").write_text("[heartbeat]\ninterval = 30s\n")
        listening.bind(f"{base}/agent.sock")
        listening.listen()
        for name, mode in (("etc/conf.d", 0o2750), ("state", 0o750), ("agent.sock", 0o660)):
            os.chown(base / name, 0, DAEMON)
            (base / name).chmod(mode)
        yield base


@pytest.fixture
def stranger(installed):
    """stranger(program, *arguments) -> the command, asked by nobody."""
    def ask(program, *arguments):
        return subprocess.run([sys.executable, "-c", PROGRAM, program, *map(str, arguments), "--config-dir",
                               installed / "etc"], capture_output=True, text=True, timeout=60)
    return ask


@pytest.mark.parametrize("command, status", [("status", 4), ("watch", 4), ("reconnect", 4), ("check-config", 2),
                                             ("transactions", 1)])
def test_t14_a_stranger_is_told_what_he_may_not_read_and_what_to_join(stranger, installed, command, status):
    asked = stranger("agent", command)
    assert asked.returncode == status and asked.stdout == ""
    first, *rest = asked.stderr.splitlines()
    assert first == f"{installed}/etc/conf.d may not be read by nobody: {JOIN}"
    assert "mistakes" not in asked.stderr and "correct them" not in asked.stderr
    if status == 4:
        assert len(rest) == 1 and rest[0].startswith(f"no permission to open {installed}/agent.sock; run this as root")
    if command == "transactions":
        assert "run this as root or as the agent's user" in rest[0]


def test_t14_a_bug_report_of_a_stranger_says_what_it_lacks(stranger, installed):
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o777)
        file = f"{place}/report.tar.gz"
        asked = stranger("agent", "bugreport", "--output", file)
        assert asked.returncode == 0
        assert asked.stderr == (f"It lacks what you may not read: {installed}/etc/conf.d may not be read by nobody: "
                                f"{JOIN}\n")
        with tarfile.open(file) as archive:
            texts = {member.name.split("/", 1)[1]: archive.extractfile(member).read().decode() for member in archive}
    assert texts["settings.txt"].startswith(f"{installed}/etc/conf.d may not be read by nobody: {JOIN}\n")
    assert "no permission to open" in texts["status.json"] and "wrong, and not in use" not in texts["settings.txt"]


def test_t14_check_of_a_stranger(stranger, installed):
    asked = stranger("watchdog", "check")
    assert asked.stderr.splitlines()[0] == f"{installed}/etc/conf.d may not be read by nobody: {JOIN}"
    assert asked.returncode == 2 and "no permission to open" in asked.stdout


def test_t14_links_of_a_stranger(start_python, installed):
    links = start_python("-c", PROGRAM, "watchdog", "links", "--config-dir", installed / "etc", stderr=subprocess.PIPE)
    assert "interface new" in links.stdout.readline()       # it goes on without what it may not read
    links.kill()
    said = links.stderr.read()
    assert said.splitlines()[0] == f"{installed}/etc/conf.d may not be read by nobody: {JOIN}"
    assert "correct them" not in said


@pytest.fixture
def check_by_root(installed):
    """check_by_root(package_user) -> check-config, asked by root where the package has made that user."""
    def ask(package_user="econduit"):
        code = PROGRAM.replace("os.setgroups([]); os.setgid(65534); os.setuid(65534); os.chdir",
                               f"econduit_terminal.agent.cli.places.USER = {package_user!r}; os.chdir")
        return subprocess.run([sys.executable, "-c", code, "agent", "check-config", "--config-dir", installed / "etc"],
                              capture_output=True, text=True, timeout=30)
    return ask


def test_root_is_told_where_the_agent_may_not_write(check_by_root, installed):
    os.chown(installed / "state", 65534, 65534)
    (installed / "etc/conf.d").chmod(0o755)
    asked = check_by_root()
    assert asked.returncode == 0
    assert f"warning: local.socket: the directory {installed} may not be written by nobody; until" in asked.stdout
    roots = f"local.state_dir: {installed}/state/journal.sqlite3 may not be read and written by nobody; until"
    assert roots in asked.stdout, "root ran the agent by hand"
    os.chown(installed / "state/journal.sqlite3", 65534, 65534)
    assert "local.state_dir" not in check_by_root().stdout


@pytest.mark.parametrize("there", [True, False])
def test_a_journal_that_is_roots_is_none_of_the_agents(check_by_root, installed, there):
    """A terminal whose state_dir was made by hand, or not at all."""
    (installed / "etc/conf.d").chmod(0o755)
    if not there:
        (installed / "state/journal.sqlite3").unlink()
        (installed / "state").rmdir()
    asked = check_by_root("nobody")
    said = "may not be written by nobody" if there else "is not there"
    assert asked.returncode == 0
    assert f"warning: local.state_dir: the directory {installed}/state {said}; until" in asked.stdout


def test_what_the_agent_may_not_read_stays_a_mistake_for_root(check_by_root, installed):
    """check-config asks as whoever the journal belongs to."""
    os.chown(installed / "state", 65534, 65534)
    (installed / "etc/conf.d/own.ini").chmod(0o600)
    (installed / "etc/conf.d").chmod(0o755)
    asked = check_by_root()
    assert asked.returncode == 2
    assert "own.ini: cannot be read (Permission denied), accepted: a text file that the user of the program may read" \
        in asked.stderr
