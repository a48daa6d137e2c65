"""scripts/demo: what it shows, how it fails, and that nothing of it stays."""
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

DEMO = Path(__file__).resolve().parents[2] / "scripts" / "demo"
PATIENCE = 60.0
ONCE_AT_MOST = 20.0
"""Seconds that a demonstration may take, once everything is set up."""
PHASES = (r"supervisord starts", r"POS Online   terminal 29531204 is registered at 127\.0\.0\.1:\d+",
          r"display, for a browser: http://127\.0\.0\.1:\d+/", r"desk, .*: http://127\.0\.0\.1:\d+/",
          r"http://127\.0\.0\.1:\d+/services/api\.asmx/runTransaction\?command=sale&\S*&terminalId=29531204",
          r"Approved, [\d.]+ m?s later", r'"ResultCode": "Approved"', r"the connection is killed",
          r"POS Offline: reset by the cloud, noticed after [\d.]+ m?s", r"POS Online again, [\d.]+ m?s later")
STOPPED = "everything is stopped, nothing is left"
LIVE = re.compile(r"\d\d:\d\d:\d\d\.\d{3}  .*POS Online")

pytestmark = pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="needs the virtual environment of scripts/test")


class Demo:
    """A demonstration with a TMPDIR of its own, by which its processes are known. A context manager."""

    def __init__(self, folder: Path, *arguments: str, terminal: bool = False, **environment: str):
        folder.mkdir()
        self._folder = folder
        command, kind = [DEMO, *arguments], {"stdout": subprocess.PIPE, "start_new_session": True}
        if terminal:
            self.output, theirs = os.openpty()
            command, kind = ["setsid", "--ctty", *command], {"stdin": theirs, "stdout": theirs}
        self.process = subprocess.Popen(command, stderr=subprocess.STDOUT, env={
            **os.environ, "ECONDUIT_VENV": sys.prefix, "TMPDIR": str(folder), **environment}, **kind)
        if terminal:
            os.close(theirs)
        else:
            self.output = os.dup(self.process.stdout.fileno())
            self.process.stdout.close()
        self.shown = ""

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *exception) -> None:
        self.hang_up()
        left = self.left()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(PATIENCE)
        if not any(exception):
            assert left == [], self.shown
            assert list(self._folder.iterdir()) == [], self.shown

    def hang_up(self) -> None:
        """Close our end of what it writes to: a terminal that is closed, a pipe that nobody reads."""
        if self.output is not None:
            os.close(self.output)
            self.output = None

    def left(self) -> list[psutil.Process]:
        """The processes that belong to it, whoever their parent is by now."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("TMPDIR") == str(self._folder):
                    found.append(process)
        return found

    def program(self, name: str) -> psutil.Process:
        """One of its processes, by a part of its command line."""
        return next(process for process in self.left() if name in " ".join(process.cmdline()))

    def wait_shown(self, wanted: re.Pattern) -> None:
        """Until this was shown."""
        deadline = time.monotonic() + PATIENCE
        while not wanted.search(self.shown):
            assert self._read(deadline), f"it ended without {wanted.pattern}:\n{self.shown}"

    def end(self) -> int:
        """Its exit status, when it has ended."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.output], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more within {PATIENCE:g} s:\n{self.shown}"
        try:
            data = os.read(self.output, 65536)
        except OSError:     # how a terminal says that its other end is closed
            return False
        self.shown += data.decode()
        return bool(data)


@pytest.fixture
def short():
    """A folder with a short path: sockets are in it."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


@pytest.fixture
def folder(short):
    return short / "1"


def phases_in(text: str) -> list[str]:
    """The phases that are shown, each after the one before."""
    found, position = [], 0
    for phase in PHASES:
        if match := re.compile(phase).search(text, position):
            found.append(phase)
            position = match.end()
    return found


def test_once_shows_it_all_and_leaves_nothing(folder):
    with Demo(folder, "--once") as demo:
        assert demo.end() == 0, demo.shown
        assert phases_in(demo.shown) == list(PHASES), demo.shown
        *_, last = demo.shown.splitlines()
        assert last.endswith(STOPPED) and float(last.split()[0]) <= ONCE_AT_MOST
        assert "\033" not in demo.shown


def test_two_at_once(folder, short):
    with Demo(folder, "--once") as one, Demo(short / "2", "--once") as other:
        assert (one.end(), other.end()) == (0, 0), one.shown + other.shown
        assert phases_in(one.shown) == phases_in(other.shown) == list(PHASES)
        ports = [set(re.findall(r"127\.0\.0\.1:(\d+)", demo.shown)) for demo in (one, other)]
        assert len(ports[0]) == 3 and not ports[0] & ports[1]


@pytest.mark.parametrize("arguments, why", [
    (["--amount", "5.05"], "the sale was not approved: Declined"),
    (["--cloud", "--terminal-type Other"], "FAILED-INVALID-TERMINAL-TYPE"),
])
def test_a_failure_says_what_failed(folder, arguments, why):
    with Demo(folder, "--once", *arguments) as demo:
        assert demo.end() == 1, demo.shown
        assert why in demo.shown and "failed: " in demo.shown and "Traceback" not in demo.shown
        assert phases_in(demo.shown) != list(PHASES)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_live_status_until_a_signal(folder, number, status):
    with Demo(folder) as demo:
        demo.wait_shown(LIVE)
        demo.process.send_signal(number)
        assert demo.end() == status, demo.shown
        assert phases_in(demo.shown) == list(PHASES) and demo.shown.rstrip().endswith(STOPPED)


def test_its_links_lead_to_the_display_and_the_desk(folder):
    with Demo(folder) as demo:
        demo.wait_shown(LIVE)
        for name, shows in (("display", "Terminal ID 29531204"), ("desk", "eConduit sandbox: the desk")):
            link, = re.findall(rf"{name}, .*: (http://\S+)", demo.shown)
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(link, timeout=10) as page:
                assert shows in page.read().decode()
        desk, = re.findall(r"the desk +(http://\S+)", demo.shown)
        assert desk == link
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0, demo.shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle(folder, number):
    with Demo(folder, "--once") as demo:
        demo.wait_shown(re.compile("supervisord starts"))
        demo.process.send_signal(number)
        assert demo.end() == 128 + number, demo.shown
        assert "Traceback" not in demo.shown


def test_colours_on_a_terminal_and_ctrl_c(folder):
    with Demo(folder, terminal=True, NO_COLOR="") as demo:
        demo.wait_shown(LIVE)
        os.write(demo.output, b"\x03")
        assert demo.end() == 0, demo.shown
        assert "\033[1;31mPOS Offline: reset by the cloud\033[0m" in demo.shown
        assert "\033[1;32mPOS Online\033[0m again" in demo.shown


def test_no_colours_where_they_are_not_wanted(folder):
    with Demo(folder, "--once", terminal=True, NO_COLOR="1") as demo:
        assert demo.end() == 0 and "\033" not in demo.shown


@pytest.mark.parametrize("terminal, status", [(True, 129), (False, 141)], ids=["terminal", "pipe"])
def test_nobody_reads_any_more(folder, terminal, status):
    with Demo(folder, "--once", terminal=terminal) as demo:
        demo.wait_shown(re.compile("supervisord starts"))
        demo.hang_up()
        assert demo.process.wait(PATIENCE) == status


def test_without_an_output_the_status_tells(folder):
    folder.mkdir()
    done = subprocess.run(["sh", "-c", 'exec "$0" --once >&-', DEMO], stderr=subprocess.PIPE, text=True,
                          timeout=PATIENCE, env={**os.environ, "ECONDUIT_VENV": sys.prefix, "TMPDIR": str(folder)})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_killed_supervisord(folder):
    with Demo(folder) as demo:
        demo.wait_shown(LIVE)
        demo.program("supervisor.supervisord").kill()
        assert demo.end() == 1
        assert "failed: supervisord ended by itself" in demo.shown


def test_a_folder_whose_path_is_too_long(tmp_path):
    with Demo(tmp_path / ("long" * 20), "--once") as demo:
        assert demo.end() == 1
        assert "set TMPDIR to a shorter one" in demo.shown


def test_wrong_usage(folder):
    with Demo(folder, "--twice") as demo:
        assert demo.end() == 2 and "unrecognized arguments: --twice" in demo.shown


def test_help(folder):
    with Demo(folder, "--help") as demo:
        assert demo.end() == 0 and "scripts/demo --once" in demo.shown
