"""What a demonstration shows to the person in front of it, and how they stop it: a signal, or nobody reads any more."""
import os
import signal
import sys
import time

from econduit_terminal.process.output import discard_output

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal asks for the end, or nobody reads what is shown (SIGPIPE)."""

    def __init__(self, number: int):
        self.number = number


class Screen:
    """What is shown: one line for each thing that happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.colour = sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def happens(self, text: str) -> None:
        self._print(f"{time.monotonic() - self._began:5.1f} s  {text}")

    def beside(self, *lines: str) -> None:
        """Lines that belong to what just happened."""
        for text in lines:
            self._print(f"         {self._dim(text)}")

    def plain(self, text: str = "") -> None:
        self._print(text)

    def _dim(self, text: str) -> str:
        return f"\033[2m{text}\033[0m" if self.colour else text

    @staticmethod
    def _print(text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            discard_output()
            raise Stopped(signal.SIGPIPE) from None


def took(seconds: float) -> str:
    """A time in words: 0.4 ms, 18 ms, 1.2 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def take_signals() -> None:
    """From now on a signal raises Stopped."""
    for number in SIGNALS:
        # What nohup or a shell in the background wants ignored stays ignored.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def on_signal(number: int, frame: object) -> None:
    """The first signal ends the demonstration; the others must not disturb the end."""
    ignore_signals()
    raise Stopped(number)


def ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
