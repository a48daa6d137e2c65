"""A terminal as it runs in the field: supervisord with conf/supervisor.conf included, the agent under it, its settings.

    with Supervisor() as supervisor:
        with Terminal(supervisor, {"cloud.primary": "127.0.0.1:9000", …}) as terminal:
            terminal.start()
            terminal.wait_online()

`Supervisor` may serve many terminals, one after the other. Its supervisord starts nothing by itself (an include behind
the product's says autostart=false); everything else is as shipped. Whatever happens, nothing stays: what carries this
folder in its environment is ended, whoever its parent is by now.
"""
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport, UnixStreamHTTPConnection

from econduit_terminal.conf import settings as conf
from econduit_terminal.contract.client import AgentError, Client

PRODUCT = Path(conf.__file__).parent / "supervisor.conf"
BIN = Path(sys.executable).parent
AGENT = "econduit:agent"
PATIENCE = 15.0
"""Seconds that anything may take before a test fails; far beyond what it takes."""
LOOK = 0.01
"""Seconds between two looks at what tells nobody when it changes: a file, a socket that is not there yet."""

MAIN = """[supervisord]
nodaemon=true
nocleanup=true
childlogdir={folder}
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[unix_http_server]
file={folder}/supervisor.sock
chmod=0600
[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files={product} {folder}/quiet.conf
"""
QUIET = "[program:econduit-agent]\nautostart=false\n[program:econduit-watchdog]\nautostart=false\n"

DEFAULTS = {
    "terminal.type": "SandboxMaker", "terminal.model": "Model1", "terminal.software_version": "SomeProcessor v1.2",
    "registration.timeout": "2s", "reconnect.connect_timeout": "1s", "reconnect.secondary_after": "200ms",
    "reconnect.primary_retry": "1h", "reconnect.local_retry": "100ms", "reconnect.first_retry": "50ms",
    "reconnect.base_delay": "50ms", "reconnect.max_delay": "300ms", "transactions.frame_gap": "100ms",
    "local.display": "",
}
"""What a test need not wait for; everything else is as shipped."""

_numbers = itertools.count(1)


def wait_end(pid: int, timeout: float = PATIENCE) -> None:
    """Until a process, whoever's child it is, has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([fd], [], [], timeout)
        assert ready, f"pid {pid} is still there after {timeout} s"
    finally:
        os.close(fd)


def until(condition, what: str, timeout: float = PATIENCE):
    """The first true value of `condition()`, for what nobody announces."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(LOOK)
    return value


class _Connection(UnixStreamHTTPConnection):
    def connect(self):
        super().connect()
        self.sock.settimeout(60)


class Supervisor:
    """supervisord in a folder of its own, as an ordinary user may run it. A context manager."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ect-"))
        self.config_dir = self.folder / "settings"
        (self.config_dir / "conf.d").mkdir(parents=True)
        (self.folder / "supervisord.conf").write_text(MAIN.format(folder=self.folder, product=PRODUCT))
        (self.folder / "quiet.conf").write_text(QUIET)
        self.environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}",
                                         "ECONDUIT_CONFIG_DIR": str(self.config_dir)}
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Supervisor":
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def start(self) -> None:
        """Start supervisord and wait until it can be asked."""
        output = (self.folder / "supervisord.out").open("ab")
        # It ends in order even when this process is killed.
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "supervisor.supervisord", "-n",
             "-c", self.folder / "supervisord.conf"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        output.close()
        until(self._answers, f"supervisord serves; it said:\n{(self.folder / 'supervisord.out').read_text()}")

    def kill(self) -> None:
        """SIGKILL for supervisord alone."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        for pid in self.leftovers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)
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

    def supervisorctl(self, *arguments: str) -> subprocess.CompletedProcess:
        """The command, to its end; output as text."""
        return self.run(sys.executable, "-m", "supervisor.supervisorctl", "-c", self.folder / "supervisord.conf",
                        *arguments)

    def run(self, *command, timeout: float = 60) -> subprocess.CompletedProcess:
        """A program in the terminal's environment, to its end; output as text."""
        return subprocess.run([str(part) for part in command], env=self.environment, capture_output=True, text=True,
                              timeout=timeout)

    @property
    def rpc(self):
        """supervisor's XML-RPC interface."""
        transport = SupervisorTransport(serverurl=f"unix://{self.folder}/supervisor.sock")

        def connection():
            made = _Connection("localhost")
            made.socketfile = f"{self.folder}/supervisor.sock"
            return made
        transport._get_connection = connection
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def info(self, program: str = AGENT) -> dict:
        """supervisor's own words about a program: statename, pid, exitstatus, …"""
        return self.rpc.getProcessInfo(program)

    def stop(self, program: str = AGENT) -> None:
        """Stop a program if it runs, and wait until it has."""
        with contextlib.suppress(xmlrpc.client.Fault):
            self.rpc.stopProcess(program)

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError("supervisord ended: " + (self.folder / "supervisord.out").read_text())
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            return self.rpc.getState()["statename"] == "RUNNING"
        return False


class Terminal:
    """One terminal with settings, journal and TerminalID of its own. A context manager; it does not start the agent.

    settings: "section.key" → text, on top of DEFAULTS.
    """

    def __init__(self, supervisor: Supervisor, settings: dict[str, object]):
        self.supervisor = supervisor
        self.id = f"T{os.getpid()}-{next(_numbers)}"
        state = supervisor.folder / self.id
        state.mkdir()
        self.socket = supervisor.folder / "agent.sock"
        self.status_file = state / "status.json"
        self.client = Client(self.socket, timeout=5.0)
        self._settings = {**DEFAULTS, "terminal.id": self.id, "local.socket": self.socket, "local.state_dir": state,
                          "local.status_file": self.status_file, **settings}
        for file in (supervisor.config_dir / "conf.d").iterdir():
            file.unlink()
        self.set({})
        self._logged = {file: file.stat().st_size for file in self._log_files()}
        self.history: list[dict] = []
        """Every status that the agent's event stream showed, oldest first; `at` is when it came (monotonic)."""
        self._news = threading.Condition()
        self._closed = threading.Event()

    def __enter__(self) -> "Terminal":
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self._closed.set()
        info = self.supervisor.info()
        if info["pid"]:
            # What a test left in progress must not cost the others the time to drain it.
            with contextlib.suppress(xmlrpc.client.Fault, ProcessLookupError):
                self.supervisor.rpc.stopProcess(AGENT, False)
                try:
                    wait_end(info["pid"], 5)
                except AssertionError:
                    os.kill(info["pid"], signal.SIGKILL)
                    wait_end(info["pid"])
        self.supervisor.stop()

    # -- settings ----------------------------------------------------------------------------------------------------

    def set(self, settings: dict[str, object]) -> None:
        """Write the settings with these changed; the agent is not told."""
        self._settings |= settings
        sections: dict[str, list[str]] = {}
        for name, value in self._settings.items():
            section, _, key = name.partition(".")
            sections.setdefault(section, []).append(f"{key} = {value}")
        text = "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items())
        (self.supervisor.config_dir / "terminal.ini").write_text(text + "\n")

    def override(self, text: str) -> Path:
        """The whole of conf.d/override.ini, which wins over all other settings."""
        file = self.supervisor.config_dir / "conf.d" / "override.ini"
        file.write_text(text)
        return file

    def reload(self, settings: dict[str, object]) -> None:
        """Change settings and tell the agent, as an operator does."""
        self.set(settings)
        self.supervisor.rpc.signalProcess(AGENT, "HUP")

    # -- the process -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the agent; it is not waited for."""
        self.supervisor.rpc.startProcess(AGENT, False)

    def agent_pid(self) -> int:
        """The agent's pid as supervisor knows it."""
        return self.supervisor.info()["pid"]

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        """econduit-agent with arguments, to its end."""
        return self.supervisor.run(BIN / "econduit-agent", *arguments)

    # -- what it says ------------------------------------------------------------------------------------------------

    def status(self) -> dict:
        """GET /status."""
        return self.client.status().to_json()

    def mark(self) -> int:
        """Where the history ends now: what comes later is after this."""
        with self._news:
            return len(self.history)

    def wait_status(self, predicate, timeout: float = PATIENCE, since: int | None = None) -> dict:
        """The first status for which `predicate(status)` holds: the newest known, or any that comes; with `since` (a
        mark) any after that mark. Raises AssertionError."""
        deadline = time.monotonic() + timeout
        with self._news:
            seen = max(0, len(self.history) - 1) if since is None else since
            while True:
                while seen < len(self.history):
                    if predicate(self.history[seen]):
                        return self.history[seen]
                    seen += 1
                if not self._news.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    break
        last = json.dumps(self.history[-1]) if self.history else "none"
        raise AssertionError(f"no such status within {timeout} s; the last one:\n{last}\n"
                             f"the log:\n{self.log()[-6000:]}")

    def wait_online(self, since: int | None = None, timeout: float = PATIENCE, **fields) -> dict:
        """The first status with POS Online and these fields."""
        return self.wait_status(lambda s: s["online"] and all(s[key] == value for key, value in fields.items()),
                                timeout, since)

    def wait_offline(self, reason: str, since: int | None = None, timeout: float = PATIENCE) -> dict:
        """The first status with POS Offline and `reason` in its reason."""
        return self.wait_status(lambda s: not s["online"] and reason in s["reason"], timeout, since)

    def wait_counted(self, **counts: int) -> dict:
        """The first status with these numbers of transactions."""
        return self.wait_status(lambda s: all(s["transactions"].get(name) == number for name, number in counts.items()))

    def log(self) -> str:
        """What the agents of this terminal wrote."""
        texts = []
        for file in self._log_files():
            with file.open("rb") as opened:
                opened.seek(self._logged.get(file, 0))
                texts.append(opened.read().decode(errors="replace"))
        return "".join(texts)

    def wait_log(self, part: str, timeout: float = PATIENCE) -> str:
        """The first line of the log with `part` in it; it comes through supervisor, a moment after it was written."""
        try:
            return until(lambda: next((line for line in self.log().splitlines() if part in line), None), part, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe log:\n{self.log()[-6000:]}") from None

    def _log_files(self) -> list[Path]:
        return sorted(self.supervisor.folder.glob("agent-stdout*"), key=lambda file: file.stat().st_mtime)

    def _follow(self) -> None:
        while not self._closed.wait(LOOK):
            with contextlib.suppress(AgentError):
                for status in self.client.events():
                    with self._news:
                        self.history.append({**status.to_json(), "at": time.monotonic()})
                        self._news.notify_all()


class BlackHole:
    """A TCP port on 127.0.0.1 where a dial meets silence, as behind a firewall that drops: its backlog is full, so the
    kernel ignores every further SYN. A context manager."""

    def __init__(self):
        self._server = socket.socket()
        self._fillers: list[socket.socket] = []

    def __enter__(self) -> "BlackHole":
        self._server.bind(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.fill()
        return self

    def __exit__(self, *exception) -> None:
        for sock in (self._server, *self._fillers):
            sock.close()

    def fill(self) -> None:
        """Fill the backlog until a dial is no longer answered."""
        self._server.listen(0)
        for _ in range(20):
            filler = socket.socket()
            self._fillers.append(filler)
            filler.setblocking(False)
            filler.connect_ex(self._server.getsockname())
            _, opened, _ = select.select([], [filler], [], 0.1)
            if not opened:
                return
        raise AssertionError("the backlog does not fill: no black hole on this kernel")
