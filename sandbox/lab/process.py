"""A program that runs in a host, and what it says."""
import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Mapping


class Process:
    """A program in a host, its output read at once, line by line, with the (monotonic) time of each. Ctrl-C in the
    terminal of its parent does not reach it: who made it ends it."""

    def __init__(self, arguments: list[str], env: Mapping[str, str] | None = None):
        self.lines: list[tuple[float, str]] = []
        self._grown = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                         stdin=subprocess.DEVNULL, env=env, start_new_session=True)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float = 10) -> int:
        return self._process.wait(timeout)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def line(self, part: str, timeout: float = 10, after: float = 0.0) -> tuple[float, str]:
        """The first line with `part` in it that came after the moment `after`. Raises AssertionError."""
        found: tuple[float, str] | None = None

        def look() -> bool:
            nonlocal found
            found = next((entry for entry in self.lines if entry[0] >= after and part in entry[1]), None)
            return found is not None or self._ended

        with self._grown:
            self._grown.wait_for(look, timeout)
            if found:
                return found
        raise AssertionError(f"no line with {part!r} within {timeout} s, but:\n{self.text}")

    def end(self, timeout: float = 5) -> int:
        """SIGTERM, and SIGKILL if it goes on."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(timeout)

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as output:
            for line in output:
                with self._grown:
                    self.lines.append((time.monotonic(), line.rstrip("\n")))
                    self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()
