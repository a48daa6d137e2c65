"""Small machines of Debian to install the packages on: a root file system (debian_root.py), laid anew for each.

    with Machine([debian_root.base("bookworm")], folder) as machine:
        machine.run("apt-get", "install", "-y", "/packages/econduit-terminal_1.1.0_all.deb")

A machine has its own processes (a reaping init, /proc), its own network (a loopback and nothing else) and its own
files: the given layers below, what it changes on top. Nothing of it is seen outside, and all of it goes with it. What
it has of hardware is what a test writes to its /sys.
"""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from debian_root import overlay

T = TypeVar("T")
PATIENCE = 60.0
COMMAND = 300.0
"""Seconds that a program inside may take."""
LOOK = 0.05
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
               "TERM": "dumb"}
# Orphans are adopted by the first process of a machine; ignored, they vanish as they end.
INIT = "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nprint(flush=True)\nwhile True: signal.pause()\n"
# What may differ after a package was there: logs and caches of the package tools, and their copies of old files.
NOISE = re.compile(r"/(proc|sys|dev|tmp|packages)(/|$)"
                   r"|/var/log/(dpkg\.log|alternatives\.log|apt/.*|supervisor/supervisord\.log)"
                   r"|/var/(cache/(apt|ldconfig)|lib/apt)/.*|/var/cache/debconf/tmp\.ci"
                   r"|/var/lib/dpkg/(status|available|lock|lock-frontend|triggers/.*|.*-old)"
                   r"|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-|/etc/\.pwd\.lock"
                   r"|/run/(supervisord\.pid|supervisor\.sock|adduser)|.*/__pycache__(/.*)?")
Made = tuple[str, int, int, str]
"""What makes up a file: its mode, owner, group, and a hash of its content or the target of a link."""


class Machine:
    """A running machine of these layers, the topmost first. `packages`: a folder whose *.deb it has as /packages.

    `folder`: where its own files stay when it ends, in upper/, to be a layer of others; without, they go with it.
    `slowness`: how many times longer everything may take, where the processor is emulated."""

    def __init__(self, layers: list[Path], packages: Path, folder: Path | None = None, slowness: float = 1.0):
        self._layers, self._packages, self._folder, self._slowness = layers, packages, folder, slowness
        self._all = contextlib.ExitStack()

    def __enter__(self) -> "Machine":
        with contextlib.ExitStack() as undo:
            folder = self._folder or undo.enter_context(tempfile.TemporaryDirectory(prefix="econduit-machine-"))
            self.root = undo.enter_context(overlay(self._layers, Path(folder)))
            for package in self._packages.glob("*.deb"):
                shutil.copy(package, self.root / "packages")
            self._init = subprocess.Popen(
                ["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child",
                 f"--mount-proc={self.root}/proc", "chroot", self.root, "python3", "-c", INIT],
                env=ENVIRONMENT, stdout=subprocess.PIPE)
            undo.callback(self._end)
            assert self._init.stdout and self._init.stdout.readline(), "the machine does not start"
            children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text()
            self.pid = int(children.split()[0])
            subprocess.run(["nsenter", "-t", str(self.pid), "-n", "ip", "link", "set", "lo", "up"], check=True)
            self._all = undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._all.close()

    def _end(self) -> None:
        self._init.kill()       # --kill-child: and with the first process, all of its kind
        self._init.wait()
        if self._init.stdout:
            self._init.stdout.close()

    def _inside(self, command: Iterable[object]) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid", "--uts", "--ipc", "--root", "--wd",
                *map(str, command)]

    def run(self, *command: object, check: bool = True, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program inside; its output, both streams in one, is text. Raises AssertionError where it fails."""
        if user:
            command = ("runuser", "-u", user, "--", *command)
        done = subprocess.run(self._inside(command), env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                              timeout=COMMAND * self._slowness, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check:
            assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
        return done

    def start(self, *command: object, log: str = "/dev/null") -> subprocess.Popen[bytes]:
        """Start a program inside that stays; it ends with the machine. `log`: a file inside."""
        with open(self.path(log), "ab") as output:
            return subprocess.Popen(self._inside(command), env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT, start_new_session=True)

    def path(self, inside: str) -> Path:
        return self.root / inside.lstrip("/")

    def read(self, inside: str) -> str:
        return self.path(inside).read_text()

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def device(self, serial: str) -> None:
        """Gives the machine a vendor, a product name and, for root alone, a serial number, as DMI does."""
        self.write("/sys/class/dmi/id/sys_vendor", "SandboxMaker\n", 0o444)
        self.write("/sys/class/dmi/id/product_name", "Model1\n", 0o444)
        self.write("/sys/class/dmi/id/product_serial", f"{serial}\n", 0o400)

    def until(self, what: str, condition: Callable[[], T], patience: float = PATIENCE) -> T:
        """The first true result of condition(), looked at again and again; AssertionError with the logs after that."""
        patience *= self._slowness
        end = time.monotonic() + patience
        while not (result := condition()):
            assert time.monotonic() < end, f"not within {patience:g} s: {what}\n{self.logs()}"
            time.sleep(LOOK)
        return result

    def logs(self) -> str:
        files = sorted(self.path("/var/log/supervisor").glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-4000:]}" for file in files)

    def status(self) -> dict[str, Any]:
        """The agent's status; empty while it does not run."""
        told = self.run("econduit-agent", "status", "--json", check=False)
        found: dict[str, Any] = json.loads(told.stdout) if told.returncode in (0, 1) else {}
        return found

    def online(self) -> bool:
        return bool(self.status().get("online"))

    def install(self, *packages: str) -> str:
        """As a person or an image's script does, for whom nobody answers questions. What apt said."""
        return self.run("apt-get", "install", "-y", "--allow-downgrades",
                        *(f"/packages/{name}" for name in packages)).stdout

    # -- supervisord -----------------------------------------------------------------------------------------------

    def start_supervisord(self) -> None:
        """As the distribution's init script does."""
        self.run("supervisord", "-c", "/etc/supervisor/supervisord.conf")

    def supervisord(self) -> int:
        return int(self.read("/run/supervisord.pid"))

    def ctl(self, *words: str, check: bool = True) -> str:
        return self.run("supervisorctl", *words, check=check).stdout

    def states(self) -> dict[str, str]:
        """Program -> state, for all that supervisord knows; empty where it does not run."""
        rows = (line.split() for line in self.ctl("status", check=False).splitlines())
        return {row[0]: row[1] for row in rows if len(row) > 1 and row[1].isupper()}

    def pid_of(self, program: str) -> int:
        """0 while it does not run."""
        told = self.ctl("pid", program, check=False).strip()
        return int(told) if told.isdigit() else 0

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        self.run("sh", "-c", f"kill -{int(number)} {pid}")

    def processes(self) -> dict[int, str]:
        """Pid inside -> command line, of everything that runs as econduit."""
        users = dict(line.split(":")[0:3:2] for line in self.read("/etc/passwd").splitlines())
        found = {}
        rows = self.run("sh", "-c", "for p in /proc/[0-9]*; do "
                        "printf '%s\\n' \"$(stat -c %u $p) ${p#/proc/} $(tr '\\0' ' ' <$p/cmdline)\"; done 2>/dev/null")
        for row in rows.stdout.splitlines():
            uid, _, rest = row.partition(" ")
            pid, _, command = rest.partition(" ")
            if uid and uid == users.get("econduit"):
                found[int(pid)] = command.strip()
        return found

    # -- files -----------------------------------------------------------------------------------------------------

    def files(self) -> dict[str, Made]:
        """Path -> what makes it up, of every file that a package could leave behind or change."""
        found = {}
        for folder, names, others in os.walk(self.root):
            place = folder.removeprefix(str(self.root))
            names[:] = [name for name in names if not NOISE.fullmatch(f"{place}/{name}")
                        and not NOISE.match(f"{place}/{name}/")]
            for name in (*names, *others):
                if not NOISE.fullmatch(f"{place}/{name}"):
                    found[f"{place}/{name}"] = _made_of(Path(folder, name))
        return found


def changes(before: dict[str, Made], after: dict[str, Made]) -> dict[str, tuple[Made | None, Made | None]]:
    """Path -> (what it was, what it is); None where it was not or is not."""
    return {path: (before.get(path), after.get(path)) for path in before.keys() | after.keys()
            if before.get(path) != after.get(path)}


def _made_of(path: Path) -> Made:
    status = path.lstat()
    kind = stat.filemode(status.st_mode)
    if kind[0] == "-":
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    else:
        content = os.readlink(path) if kind[0] == "l" else ""
    return kind, status.st_uid, status.st_gid, content
