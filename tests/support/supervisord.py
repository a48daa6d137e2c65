"""supervisord with conf/supervisor.conf included, as an ordinary user may run it: for tests, and for scripts/demo.

It is as shipped, in a folder of its own. Whatever happens, nothing stays: what carries this folder in its environment
is ended, whoever its parent is by now.
"""
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from waiting import PATIENCE, until, wait_end

from econduit_terminal.conf import settings as conf

PRODUCT = Path(conf.__file__).parent / "supervisor.conf"
BIN = Path(sys.executable).parent
AGENT = "econduit:agent"
STOP_AGAIN = 3.0
"""Seconds until a second SIGTERM: one that reaches a program between supervisord's fork and its exec is lost."""

MAIN = """[supervisord]
nocleanup=true
childlogdir=%(here)s
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
[unix_http_server]
file=%(here)s/supervisor.sock
chmod=0600
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files=econduit.conf more.conf
"""
QUIET = "[program:econduit-agent]\nautostart=false\n[program:econduit-watchdog]\nautostart=false\n"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: str):
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _Connection(self._path)


class Supervisor:
    """A context manager. `more`: what the configuration includes behind the product's, and which wins over it; by
    default nothing starts by itself. `inside`: a command that runs it, in a namespace for instance."""

    def __init__(self, more: str = QUIET, prefix: str = "ect-", inside: Sequence[str] = ()):
        self._inside = inside
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self.config_dir = self.folder / "settings"
        (self.config_dir / "conf.d").mkdir(parents=True)
        (self.folder / "supervisord.conf").write_text(MAIN)
        # A link beside the including file: a path with blanks could not be included.
        (self.folder / "econduit.conf").symlink_to(PRODUCT)
        (self.folder / "more.conf").write_text(more)
        self.environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}",
                                         "ECONDUIT_CONFIG_DIR": str(self.config_dir)}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start supervisord and wait until it can be asked."""
        self.launch()
        until(self._answers, f"supervisord serves; it said:\n{self._output()}")

    def launch(self) -> None:
        """Start supervisord. It ends in order even when this process is killed; Ctrl-C does not reach it."""
        with (self.folder / "supervisord.out").open("ab") as output:
            self.process = subprocess.Popen(
                [*self._inside, "setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "supervisor.supervisord", "-n",
                 "-c", self.folder / "supervisord.conf"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    @property
    def pid(self) -> int:
        assert self.process, "it was not started"
        return self.process.pid

    def ended(self) -> int | None:
        """The exit status of supervisord, if it ended."""
        return self.process.poll() if self.process else None

    def kill(self) -> None:
        """SIGKILL for supervisord alone."""
        if self.process:
            self.process.kill()
            self.process.wait(PATIENCE)

    def close(self) -> None:
        """End everything, in order as far as it lets itself, and remove the folder."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            for again in (STOP_AGAIN, PATIENCE):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(again)
                    break
                self._signal(signal.SIGTERM)
        self.kill()
        while left := self._signal(signal.SIGKILL):
            for pid in left:
                wait_end(pid)
        shutil.rmtree(self.folder, ignore_errors=True)

    def leftovers(self) -> list[int]:
        """Every process that was started from this folder, supervisord included."""
        mark = f"ECONDUIT_CONFIG_DIR={self.config_dir}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def supervisorctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, to its end; output as text."""
        return self.run(sys.executable, "-m", "supervisor.supervisorctl", "-c", self.folder / "supervisord.conf",
                        *arguments)

    def run(self, *command: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """A program in the terminal's environment, to its end; output as text."""
        return subprocess.run([str(part) for part in command], env=self.environment, capture_output=True, text=True,
                              timeout=timeout)

    @property
    def rpc(self) -> Any:
        """supervisor's XML-RPC interface."""
        transport = _Transport(f"{self.folder}/supervisor.sock")
        return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport).supervisor

    def info(self, program: str = AGENT) -> dict[str, Any]:
        """supervisor's own words about a program: statename, pid, exitstatus, …"""
        found: dict[str, Any] = self.rpc.getProcessInfo(program)
        return found

    def stop(self, program: str = AGENT) -> None:
        """Stop a program if it runs, and wait until it has."""
        with contextlib.suppress(xmlrpc.client.Fault):
            self.rpc.stopProcess(program)

    def _signal(self, number: int) -> list[int]:
        """Signal every process that was started from here but supervisord itself."""
        pids = [pid for pid in self.leftovers() if self.process is None or pid != self.process.pid]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids

    def _output(self) -> str:
        return (self.folder / "supervisord.out").read_text(errors="replace")

    def _answers(self) -> bool:
        if self.ended() is not None:
            raise AssertionError(f"supervisord ended: {self._output()}")
        with contextlib.suppress(OSError, http.client.HTTPException, xmlrpc.client.Error):
            return bool(self.rpc.getState()["statename"] == "RUNNING")
        return False
