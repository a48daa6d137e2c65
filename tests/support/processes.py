"""Python processes as a test starts them: with pipes of text, and none of them left behind."""
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LIMIT = 10


@contextmanager
def starter() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start(*arguments of python, stderr=…) -> a running Popen with stdin and stdout; killed and reaped at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, stderr: int | None = None) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([sys.executable, *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=stderr, text=True))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait(LIMIT)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe and not pipe.closed:
                    pipe.close()
