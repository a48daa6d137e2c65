"""A host of the laboratory: one network namespace, the programs in it, and its name server if it has one."""
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from econduit_terminal.sandbox.lab.process import Process

# Standing in the namespace: only then may the name server of this machine be covered by the lab's own.
_ENTER = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'


class Ground(Protocol):
    """What a host needs of the laboratory that it is in."""
    id: str
    enter: list[str]
    """What runs a command where the namespaces are."""
    processes: list[Process]
    """What ends with the laboratory."""
    resolv_conf: Path

    def run(self, *arguments: str, input: str | None = None) -> str:
        """A command beside the namespaces, to its end; returns its output. Raises AssertionError."""


class Host:
    """One network namespace. Files and Unix sockets are those of the whole machine."""

    def __init__(self, lab: Ground, name: str):
        self._lab, self.name = lab, name
        self.namespace = f"{lab.id}-{name}"

    def command(self, *arguments: object) -> list[str]:
        return [*self._lab.enter, "ip", "netns", "exec", self.namespace,
                "sh", "-c", _ENTER, str(self._lab.resolv_conf), *map(str, arguments)]

    def run(self, *arguments: object, check: bool = True, input: str | None = None,
            env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A program to its end, its output as text in `stdout` and `stderr`."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, input=input,
                              env=env)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, arguments))} in {self.name}: {done.stderr or done.stdout}")
        return done

    def start(self, *arguments: object, env: Mapping[str, str] | None = None) -> Process:
        """A program in the background; it ends with the laboratory, however that ends."""
        process = Process(["setpriv", "--pdeathsig", "KILL", *self.command(*arguments)], env)
        self._lab.processes.append(process)
        return process

    def python(self, *arguments: object, env: Mapping[str, str] | None = None) -> Process:
        return self.start(sys.executable, "-u", *arguments, env=env)

    def ip(self, *commands: str) -> None:
        """ip(8) commands, in one go."""
        self._lab.run("ip", "-n", self.namespace, "-batch", "-", input="\n".join(commands))

    def serve(self, address: str, port: int, answer: str, seconds: float | None = None) -> Process:
        """Something that takes connections and answers: see lab_stranger.py."""
        stranger = self.python(Path(__file__).with_name("lab_stranger.py"), address, port, answer,
                               *([] if seconds is None else [seconds]))
        stranger.line("ready")
        return stranger

    def nft(self, rules: str) -> None:
        """nft(8) commands."""
        self._lab.run("ip", "netns", "exec", self.namespace, "nft", rules)

    def sysctl(self, key: str, value: object) -> None:
        self.run("sh", "-c", f"echo {value} > /proc/sys/{key.replace('.', '/')}")


class NameServer:
    """A name server (lab_dns.py) whose answers may change while it runs."""

    def __init__(self, host: Host, address: str, file: Path):
        self._file = file
        self._host, self._address = host, address
        self.set({})
        self.start()

    def start(self) -> None:
        self.process = self._host.python(Path(__file__).with_name("lab_dns.py"), self._address, self._file)
        self.process.line("ready")

    def set(self, records: dict[str, str]) -> None:
        """Name, `*` or `*.domain` → what is answered, see lab_dns.py. What is not named does not exist."""
        beside = self._file.with_suffix(".new")
        beside.write_text("".join(f"{name} {answer}\n" for name, answer in records.items()))
        beside.rename(self._file)

    def end(self) -> int:
        return self.process.end()
