"""A line that is replaced as a whole, on a real file system that is full."""
import errno
import os
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from econduit_terminal.process import line_file
from econduit_terminal.process.line_file import replace, tidy, uptime, withdraw


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "status.json")


def content(path):
    with open(path, "rb") as file:
        return file.read()


def fails(number):
    def failing(*_):
        raise OSError(number, os.strerror(number))
    return failing


def test_a_line_takes_the_place_of_another(path, tmp_path):
    for line in (b"first\n", b"second\n"):
        replace(path, line, "agent")
        assert content(path) == line and stat.S_IMODE(os.stat(path).st_mode) == 0o644
    assert os.listdir(tmp_path) == ["status.json"]


def test_m18_what_lies_beside_is_no_obstacle(path, tmp_path):
    (tmp_path / "elsewhere").write_text("kept")
    os.symlink(tmp_path / "elsewhere", f"{path}.agent.new")
    replace(path, b"line\n", "agent")
    assert content(path) == b"line\n" and (tmp_path / "elsewhere").read_text() == "kept"
    assert not os.path.lexists(f"{path}.agent.new")


def test_m18_leftovers_of_the_dead_go_and_nothing_else(path, tmp_path):
    for name in (".agent.new", ".4711.new", ".watchdog.new", ".agent", ".new", "x.17.new"):
        (tmp_path / f"status.json{name}").touch()
    tidy(path, "agent", "[0-9]*")
    assert sorted(os.listdir(tmp_path)) == ["status.json.agent", "status.json.new", "status.json.watchdog.new",
                                            "status.jsonx.17.new"]


def test_nothing_is_left_beside_a_file_that_cannot_be_replaced(path, tmp_path):
    os.mkdir(path)
    with pytest.raises(OSError):
        replace(path, b"{}\n", "agent")
    assert os.listdir(tmp_path) == ["status.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.EROFS])
def test_t5_a_line_that_cannot_be_replaced_goes(path, tmp_path, monkeypatch, number):
    replace(path, b"POS Online\n", "agent")
    monkeypatch.setattr(line_file.os, "rename", fails(number))
    with pytest.raises(OSError) as raised:
        replace(path, b"POS Offline\n", "agent")
    assert raised.value.errno == number and os.listdir(tmp_path) == []


def test_t5_a_line_that_cannot_even_be_removed_is_emptied(path, monkeypatch):
    replace(path, b"POS Online\n", "agent")
    monkeypatch.setattr(line_file.os, "unlink", fails(errno.EACCES))
    monkeypatch.setattr(line_file.os, "rename", fails(errno.EACCES))
    with pytest.raises(PermissionError):
        replace(path, b"POS Offline\n", "agent")
    assert content(path) == b""
    with pytest.raises(PermissionError):
        withdraw(path)


def test_withdrawn_twice(path):
    replace(path, b"line\n", "agent")
    assert withdraw(path) and not withdraw(path)


FULL = """
import os, subprocess, sys
from econduit_terminal.process.line_file import replace
subprocess.run(["mount", "-t", "tmpfs", "-o", sys.argv[2], "full", sys.argv[1]], check=True)
os.chdir(sys.argv[1])
replace("status.json", b"POS Online\\n", "agent")
number = 0
try:
    while True:
        with open(f"filler{number}", "wb", buffering=0) as filler:
            number += 1
            while int(sys.argv[3]): filler.write(bytes(4096))
except OSError: pass
replace("status.json", b"POS Offline\\n", "agent")
print(open("status.json").read(), end="")
os.unlink("status.json")
open("taken", "wb", buffering=0).write(b"x")
try: replace("status.json", b"POS Offline\\n", "agent")
except OSError as error: print(error.strerror)
print(*sorted(name for name in os.listdir() if "status" in name))
"""


@pytest.mark.parametrize("options, writes", [("size=32k", 1), ("size=1m,nr_inodes=8", 0)], ids=["blocks", "inodes"])
def test_t5_on_a_full_file_system(tmp_path, options, writes):
    command = ["unshare", "-Urm", sys.executable, "-c", textwrap.dedent(FULL), tmp_path, options, str(writes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if "unshare failed" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no user namespaces here")
    assert done.stdout == "POS Offline\nNo space left on device\n\n", done.stderr


def test_uptime_counts_suspensions_and_is_nobody_s_to_set():
    assert abs(uptime() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1
