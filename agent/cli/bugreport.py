"""`econduit-agent bugreport`: everything that support asks for, in one file without secrets.

- It is made whatever is broken: in place of a part that is not available it says why.
- Every part is bounded in time and in size, and redacted (redact.py) before it is written.
- Only the person who made the file can read it (0600), and decides where it goes.
"""
import contextlib
import dataclasses
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
from argparse import Namespace
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

from econduit_terminal.conf.access import refusal
from econduit_terminal.conf.device import identify
from econduit_terminal.conf.settings import Settings, SettingsError, load, load_with_sources
from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.client import Client

from ..journal import listing
from .redact import redact
from .settings import config_dir

CANNOT_WRITE = 1
PART_MAX = 512 * 1024
COMMAND_TIMEOUT = 5.0
CHECK_TIMEOUT = 30.0
"""Seconds; the check asks gateway, name server and cloud, each for probe_timeout."""
LIBRARIES = ("gevent", "greenlet", "psutil", "netifaces", "supervisor")
PACKAGES = ("econduit-terminal", "econduit-sandbox", "supervisor", "python3", "python3-gevent", "python3-psutil",
            "python3-netifaces")
PROGRAMS = ("agent", "watchdog")
LOGS = Path("/var/log/supervisor")


def bugreport(options: Namespace) -> int:
    """Writes the file and says where it is. Returns 0, or CANNOT_WRITE."""
    asked = _Asked(config_dir(options), options.socket)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = f"econduit-bugreport-{asked.name()}-{stamp}"
    file = Path(options.output or f"{name}.tar.gz")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        print(f"{file} cannot be made ({error.strerror}); name another place with --output FILE", file=sys.stderr)
        return CANNOT_WRITE
    lacking = []
    try:
        with open(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for part, make in PARTS.items():
                text, complete = _text(make, asked)
                _add(archive, f"{name}/{part}", text)
                lacking += [] if complete else [part]
    except OSError as error:
        file.unlink(missing_ok=True)
        print(f"{file} cannot be written ({error.strerror}); name another place with --output FILE", file=sys.stderr)
        return CANNOT_WRITE
    except KeyboardInterrupt:       # half of it would look like one
        file.unlink(missing_ok=True)
        raise
    print(f"{file}: look into it if you like (tar -xzf), then give it to support.\n"
          "It holds settings, status, network, logs and the list of transactions; no card data, no secrets.")
    if lacking:
        print(f"What it lacks: {', '.join(lacking)}; each of these says why.")
    if asked.refusal:
        print(f"It lacks what you may not read: {asked.refusal}", file=sys.stderr)
    return 0


class _Asked:
    """What the parts are about. `settings`: as good as they can be read."""

    def __init__(self, directory: Path, socket: str | None):
        self.directory = directory
        self.mistakes: tuple[str, ...] = ()
        self.refusal: str | None = None
        try:
            self.settings = load(directory)
        except SettingsError as error:
            self.settings, self.mistakes = error.usable or load(None), error.mistakes
            self.refusal = refusal(error.forbidden) if error.forbidden else None
        self.client = Client(socket or self.settings.local.socket)

    def name(self) -> str:
        try:
            terminal = identify(self.settings.terminal).id
        except SettingsError:
            terminal = ""
        return re.sub(r"[^A-Za-z0-9.-]+", "-", redact(terminal)).strip("-.") or "unnamed"


Part = Callable[[_Asked], str]


class _NotAvailable(Exception):
    """There is no such part; the text says why."""


def _text(make: Part, asked: _Asked) -> tuple[str, bool]:
    """The part, and whether it is what it should be."""
    try:
        return redact(make(asked)), True
    except Exception as error:      # noqa: BLE001  one part less is better than no report, which says what it lacks
        return redact(f"not available: {str(error) or type(error).__name__}\n"), False


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode(errors="replace")
    if len(content) > PART_MAX:
        content = b"(only the end)\n" + content[-PART_MAX:]
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
    archive.addfile(entry, io.BytesIO(content))


# -- the parts --------------------------------------------------------------------------------------------------------

def _about(asked: _Asked) -> str:
    rows = [("econduit-terminal", VERSION), ("made", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
            ("made by uid", os.getuid()), ("system", _os_name()), ("kernel", " ".join(os.uname()[2:])),
            ("up", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s"), ("load", os.getloadavg()),
            ("Python", platform.python_version()), *((name, _version(name)) for name in LIBRARIES)]
    for folder in (asked.settings.local.state_dir, "/var/log", "/run"):
        with contextlib.suppress(OSError):
            used = shutil.disk_usage(folder)
            rows.append((f"free in {folder}", f"{used.free >> 20} of {used.total >> 20} MiB"))
    memory = "".join(Path("/proc/meminfo").read_text().splitlines(keepends=True)[:5])
    return "".join(f"{name}: {value}\n" for name, value in rows) + memory


def _os_name() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not found"


def _packages(asked: _Asked) -> str:
    return _command("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\n", *PACKAGES)


def _settings(asked: _Asked) -> str:
    """Every effective value and where it is set."""
    if asked.mistakes:
        what = asked.refusal or "these settings are wrong, and not in use:"
        return "\n".join([what, *asked.mistakes, "", "the effective ones, shipped values in place of the wrong:",
                          *_values(asked.settings), ""])
    _, sources = load_with_sources(asked.directory)
    return "".join(f"{key} = {source.text}    ({source.file}:{source.line})\n" for key, source in sources.items())


def _values(settings: Settings) -> list[str]:
    return [f"{section.name}.{key.name} = {getattr(getattr(settings, section.name), key.name)}"
            for section in dataclasses.fields(settings) for key in dataclasses.fields(getattr(settings, section.name))]


def _status(asked: _Asked) -> str:
    return json.dumps(asked.client.status().to_json(), indent=2) + "\n"


def _metrics(asked: _Asked) -> str:
    return asked.client.metrics()


def _transactions(asked: _Asked) -> str:
    """RefIDs, states and times, as econduit-agent transactions shows them; bodies are not in it."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = listing.main(asked.settings, SimpleNamespace(json=False, follow=False))
    if status:
        raise _NotAvailable(output.getvalue().strip())
    return output.getvalue()


def _network(asked: _Asked) -> str:
    parts = [_command("ip", "-statistics", "address"), _command("ip", "route", "show", "table", "all"),
             _file("/etc/resolv.conf"), _file("/proc/net/route"), _file("/proc/net/arp")]
    for folder in sorted(Path("/sys/class/net").glob("*")):
        facts = {name: _file(folder / name).strip() for name in ("operstate", "carrier", "carrier_changes", "speed")}
        parts.append(f"{folder.name}: {facts}\n")
    return "\n".join(parts)


def _check(asked: _Asked) -> str:
    # -P: nothing is imported from root's current directory, which may be anybody's.
    return _command(sys.executable, "-P", "-m", "econduit_terminal.watchdog", "check", "--config-dir",
                    str(asked.directory), timeout=CHECK_TIMEOUT)


def _supervisor(asked: _Asked) -> str:
    commands = (("status", *(f"econduit:{name}" for name in PROGRAMS)), ("version",), ("pid",))
    return "\n".join(f"supervisorctl {' '.join(words)}\n{_command('supervisorctl', *words)}" for words in commands)


def _processes(asked: _Asked) -> str:
    parts = []
    for name in PROGRAMS:
        pid = _command("supervisorctl", "pid", f"econduit:{name}").strip()
        if not pid.isdigit() or pid == "0":
            parts.append(f"{name}: {pid}\n")
            continue
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        parts.append(f"{name}: {files} open files\n" + "".join(
            _file(f"/proc/{pid}/{fact}") for fact in ("status", "smaps_rollup", "limits")))
    return "\n".join(parts)


def _log(name: str) -> Part:
    def tail(asked: _Asked) -> str:
        files = [LOGS / f"econduit-{name}.log.1", LOGS / f"econduit-{name}.log"]
        if not files[-1].is_file():     # another supervisord than the distribution's
            return _command("supervisorctl", "tail", f"-{PART_MAX}", f"econduit:{name}", needed=True)
        return "".join(_tail(file) for file in files if file.is_file())
    return tail


def _supervisord_log(asked: _Asked) -> str:
    """What supervisord says of itself and of our programs; what it says of others is not our business."""
    ours = re.compile(r"econduit|\b(agent|watchdog|supervisord)\b|\bRPC\b")
    return "".join(line for line in _tail(LOGS / "supervisord.log").splitlines(keepends=True) if ours.search(line))


PARTS: dict[str, Part] = {
    "about.txt": _about,
    "packages.txt": _packages,
    "settings.txt": _settings,
    "status.json": _status,
    "metrics.txt": _metrics,
    "transactions.txt": _transactions,
    "network.txt": _network,
    "check.txt": _check,
    "supervisor.txt": _supervisor,
    "processes.txt": _processes,
    "agent.log": _log("agent"),
    "watchdog.log": _log("watchdog"),
    "supervisord.log": _supervisord_log,
}


def _command(*words: str, timeout: float = COMMAND_TIMEOUT, needed: bool = False) -> str:
    """What it says, or why it says nothing. Raises _NotAvailable where it fails and is `needed`."""
    said, failed = _said(words, timeout)
    if failed and needed:
        raise _NotAvailable(said.strip())
    return said


def _said(words: tuple[str, ...], timeout: float) -> tuple[str, bool]:
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout)
    except subprocess.TimeoutExpired as error:
        return f"{(error.stdout or b'').decode(errors='replace')}\n{words[0]} did not end within {timeout:g} s\n", True
    except OSError as error:
        return f"{words[0]} cannot be run: {error.strerror}\n", True
    return done.stdout.decode(errors="replace"), done.returncode != 0


def _file(path: str | Path) -> str:
    try:
        return _tail(Path(path))
    except OSError as error:
        return f"{path}: {error.strerror}\n"


def _tail(path: Path) -> str:
    """The last PART_MAX bytes, or all of a file without an end to seek from, such as those in /proc."""
    with open(path, "rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - PART_MAX))
        return stream.read(PART_MAX).decode(errors="replace")
