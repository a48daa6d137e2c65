"""Terminals on this machine's loopback: agents and watchdogs, as they are shipped but for addresses and paths."""
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from econduit_terminal.contract.client import AgentError, Client

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DEBIAN = "/usr/bin/python3"
PATIENCE = 60.0
"""Seconds that a step may take."""


class Programs:
    """Agents and watchdogs, each in a folder of its own."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._count = 0

    def terminal(self, primary: str, secondary: str = "", application: str = "tcp://127.0.0.1:9") -> "Terminal":
        """One more terminal."""
        self._count += 1
        return Terminal(self, self._folder / str(self._count), f"bench{self._count}", primary, secondary, application)

    def start(self, program: str, config_dir: Path, debian: bool = False) -> subprocess.Popen[bytes]:
        """debian: with the distribution's Python and what it has of our dependencies."""
        environment = os.environ | {"ECONDUIT_CONFIG_DIR": str(config_dir)}
        command = [str(BIN / program)]
        if debian:
            command = [DEBIAN, "-m", f"econduit_terminal.{program.removeprefix('econduit-')}"]
            environment |= {"PYTHONPATH": str(self._links()), "PYTHONNOUSERSITE": "1"}
        with (config_dir / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command, "run"], stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, env=environment)
        self._running.append(process)
        return process

    def _links(self) -> Path:
        """The product's packages under their names, for a Python in which they are not installed."""
        links = self._folder / "links" / "econduit_terminal"
        if not links.exists():
            links.mkdir(parents=True)
            for part in ROOT.glob("*/__init__.py"):
                (links / part.parent.name).symlink_to(part.parent)
        return links.parent

    def stop(self) -> None:
        """Ends all that it started."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        self._running.clear()


class Terminal:
    """One terminal; nothing of it runs yet."""

    def __init__(self, programs: Programs, folder: Path, name: str, primary: str, secondary: str, application: str):
        folder.mkdir()
        (folder / "terminal.ini").write_text(
            f"[terminal]\ntype=Bench\nmodel=Bench\nid={name}\nsoftware_version=Bench\n"
            f"[cloud]\nprimary={primary}\nsecondary={secondary}\n[transactions]\napplication={application}\n"
            f"[local]\nsocket={folder}/agent.sock\ndisplay=\nstatus_file={folder}/status.json\nstate_dir={folder}\n")
        self.id, self._folder, self._programs = name, folder, programs
        self.client = Client(folder / "agent.sock")

    def start(self, program: str = "econduit-agent", debian: bool = False) -> int:
        """Start a program of this terminal; returns its pid."""
        return self._programs.start(program, self._folder, debian).pid

    def log(self, program: str) -> str:
        """What a program of this terminal wrote."""
        return (self._folder / f"{program}.log").read_text()

    def wait_log(self, program: str, part: str) -> None:
        """Until a program of this terminal wrote this. Raises SystemExit."""
        deadline = time.monotonic() + PATIENCE
        while part not in self.log(program):
            if time.monotonic() > deadline:
                raise SystemExit(f"{program} did not say {part!r}:\n{self.log(program)[-3000:]}")
            time.sleep(0.01)

    def wait_online(self) -> None:
        """Raises SystemExit."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(AgentError):
                for status in self.client.events():
                    if status.online:
                        return
            time.sleep(0.01)
        raise SystemExit(f"{self.id} did not get online:\n" + self.log("econduit-agent")[-3000:])
