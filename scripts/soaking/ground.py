"""The ground on which a soak is played: the namespace laboratory with agent and watchdog under supervisord, the
sandbox's cloud and payment application, two small disks, and a clock that can be set.

Everything ends with the context, and with the process: see `in_own_mounts`.
"""
import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections import Counter
from pathlib import Path

from bench.subjects import Cloud
from supervisord import AGENT, Supervisor
from waiting import until

from econduit_terminal.contract.client import AgentError, Client
from econduit_terminal.sandbox.lab.host import NameServer
from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab
from econduit_terminal.sandbox.lab.process import Process

from .verdict import Sale

TERMINAL = "29531204"
WATCHDOG = "econduit:watchdog"
NAME = "cloud.test"
STATE_MB, RUN_MB = 256, 4
SETTINGS = """
[terminal]
type = SandboxMaker
model = Model1
id = {terminal}
software_version = SomeProcessor v1.2
[cloud]
primary = {name}:80
secondary = {cloud}:9001
[transactions]
application = unix://{folder}/application.sock
keep = 2h
[local]
socket = {folder}/run/agent.sock
status_file = {folder}/run/status.json
state_dir = {folder}/state
"""
"""As shipped, but for addresses, paths, and how long answers are kept: those of a day (27 MB an hour) would fill the
disk for good."""
_FOLLOW = 0.05
"""Seconds until a status is asked for again where nobody answered."""


def in_own_mounts() -> None:
    """This program once more in mounts of its own, so that nothing that it mounts outlives it."""
    if not os.environ.get("ECONDUIT_SOAK_INSIDE"):
        os.environ["ECONDUIT_SOAK_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--", sys.executable, *sys.argv])


def compiler() -> str | None:
    """What makes the clock that may jump (clock.c); None where there is none."""
    return shutil.which("cc")


class Ground:
    """A context manager. `timeline`: (monotonic time, POS Online) at each change, as the agent's event stream says it.

    Raises Unavailable (no laboratory), AssertionError (something of it does not start)."""

    def __init__(self, seed: int, stack: contextlib.ExitStack):
        self._closed = threading.Event()
        stack.callback(self._closed.set)
        self.lab = stack.enter_context(Lab())
        self.timeline: list[tuple[float, bool]] = [(time.monotonic(), False)]
        self.reasons: Counter[str] = Counter()
        """How often each was the last word of a status that said POS Offline."""
        self.supervisor = Supervisor(more="", inside=self.lab.terminal.command())
        self.folder = self.supervisor.folder
        stack.callback(self.supervisor.close)
        for name, size in (("state", STATE_MB), ("run", RUN_MB)):
            (self.folder / name).mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=755", "soak", self.folder / name],
                           check=True)
            stack.callback(subprocess.run, ("umount", "--lazy", str(self.folder / name)))
        (self.supervisor.config_dir / "terminal.ini").write_text(
            SETTINGS.format(terminal=TERMINAL, name=NAME, cloud=CLOUD, folder=self.folder))
        self.clock_file = self.folder / "clock"
        self._prepare_clock()
        self.names: NameServer = self.lab.name_server()
        self.names.set({NAME: CLOUD})
        self.cloud = Cloud(self.lab)
        self.application = self.start_application()
        self.client = Client(self.folder / "run" / "agent.sock", timeout=5.0)
        self.supervisor.start()
        threading.Thread(target=self._follow, daemon=True).start()
        until(lambda: self.online, "the terminal is online at the beginning", 60)
        self._pos = self.lab.cloud.python(Path(__file__).with_name("pos.py"), f"http://{CLOUD}:9080", TERMINAL, seed)
        self._pos.line("ready", timeout=30)

    def _prepare_clock(self) -> None:
        if compiler():
            library = self.folder / "clock.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library,
                            Path(__file__).with_name("clock.c")], check=True)
            self.set_clock(0)
            self.supervisor.environment |= {"LD_PRELOAD": str(library), "ECONDUIT_CLOCK": str(self.clock_file)}

    def set_clock(self, shift: int) -> None:
        """The date of supervisord and all it starts is off by so many seconds from now on."""
        with open(self.clock_file, "r+b" if self.clock_file.exists() else "wb", buffering=0) as file:
            file.write(shift.to_bytes(8, sys.byteorder, signed=True))

    def start_application(self) -> Process:
        """The payment application, once it listens."""
        application: Process = self.lab.terminal.start(
            sys.executable, "-u", "-m", "econduit_terminal.sandbox", "payment-app", "--listen",
            f"unix://{self.folder}/application.sock", "--ledger", self.folder / "ledger", "--log-level", "error")
        application.line('"listen"', timeout=30)
        return application

    # -- the two processes -------------------------------------------------------------------------------------------

    def pid(self, program: str = AGENT) -> int:
        """0 while it does not run, or nobody can say."""
        with contextlib.suppress(OSError, http.client.HTTPException, xmlrpc.client.Error):
            return int(self.supervisor.info(program)["pid"])
        return 0

    # -- what is known ------------------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """By the agent's last word."""
        return self.timeline[-1][1]

    def sales(self) -> list[Sale]:
        """Those that the POS has told of."""
        found = []
        for _, line in list(self._pos.lines):
            if line.startswith("{"):
                said = json.loads(line)
                found.append(Sale(said["ref"], said["amount"], said["asked"], said["began"], said["ended"],
                                  tuple(said["answer"]) if said["answer"] else None))
        return found

    def runs(self) -> dict[str, list[str]]:
        """RefID → AuthCodes of its runs, by the application's ledger."""
        found: dict[str, list[str]] = {}
        for line in (self.folder / "ledger").read_text().splitlines():
            run = json.loads(line)
            found.setdefault(run["RefID"], []).append(run["AuthCode"])
        return found

    def end_sales(self) -> None:
        """The POS says what is open, and ends. Raises AssertionError when it had ended by itself."""
        running = self._pos.running()
        self._pos.end()
        assert running, f"the POS ended by itself:\n{self._pos.text[-2000:]}"

    def supervisor_log(self) -> str:
        """What supervisord wrote so far, all of them."""
        return (self.folder / "supervisord.log").read_text()

    def save(self, folder: Path) -> None:
        """What explains a verdict: logs, the journal, the ledger."""
        folder.mkdir(parents=True, exist_ok=True)
        for file in [*self.folder.glob("*.log*"), *self.folder.glob("*stdout*"), self.folder / "ledger",
                     *(self.folder / "state").glob("journal*")]:
            if file.is_file():
                shutil.copy(file, folder)
        (folder / "sales").write_text(self._pos.text)

    def _follow(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(AgentError):
                for status in self.client.events():
                    self._note(status.online)
                    if not status.online and status.reason:
                        self.reasons[status.reason] += 1
            if not self._closed.is_set():
                self._note(False)
            self._closed.wait(_FOLLOW)

    def _note(self, online: bool) -> None:
        if online != self.timeline[-1][1]:
            self.timeline.append((time.monotonic(), online))


def size(pid: int) -> dict[str, float]:
    """What a process has: `memory` (anonymous, in MB: what it shares with others does not count), `descriptors`,
    `threads`. Raises OSError when it is gone."""
    proc = Path("/proc", str(pid))
    rows = (line.split() for line in (proc / "smaps_rollup").read_text().splitlines())
    anonymous = next(int(row[1]) for row in rows if row[0] == "Anonymous:")
    return {"memory": anonymous / 1024, "descriptors": float(len(os.listdir(proc / "fd"))),
            "threads": float(len(os.listdir(proc / "task")))}
