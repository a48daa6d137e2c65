"""Python processes as a test starts them: with pipes of text, and none of them left behind."""
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from waiting import until

LIMIT = 10


@contextmanager
def starter() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start(*arguments of python, stderr=…) -> a running Popen with stdin and stdout; killed and reaped at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, stderr: int | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=stderr, text=True)
        started.append(process)
        _wait_named(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait(LIMIT)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe and not pipe.closed:
                    pipe.close()


def _wait_named(process: subprocess.Popen[str]) -> None:
    """Until the process shows its command line, or has ended.

    Linux lets Popen return (close-on-exec) before the new program's arguments are in /proc: for a moment they are
    empty, and whoever asks which program this is gets none.
    """
    command_line = Path(f"/proc/{process.pid}/cmdline")
    until(lambda: command_line.read_bytes() or process.poll() is not None, f"process {process.pid} runs its program")
