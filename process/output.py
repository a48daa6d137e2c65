"""What our programs print, printable under every locale.

Python refuses to print what the locale's encoding does not know, with a traceback in place of the text: our → under
`PYTHONIOENCODING=latin-1`, a file name's stray byte under any. Here such a character becomes its plain spelling
(`->`), or its escape where it has none. Each program calls `survive_any_locale` before it prints anything; from
then on standard output tells its own errors, such as a full disk, from those of all other files. What standard error
does not take is lost: a command's exit status says what it found also where nobody can read why.
"""
import codecs
import io
import os
import sys
from typing import Any

ERRORS = "econduit-plain"
"""The name of the error handler (codecs.register_error)."""

_PLAIN = {"→": "->", "…": "...", "–": "-", "—": "-", "−": "-", "─": "-", "·": "-", "×": "x", "±": "+/-", "≤": "<=",
          "≥": ">=", "§": "section ", "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "\u00a0": " ", "\u202f": " "}


def survive_any_locale() -> None:
    """Has standard output and standard error replace what they cannot encode. A closed output is left alone; in place
    of a closed standard error print() would take standard output, so it becomes one that leads nowhere."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")    # noqa: SIM115  for the life of the process
    codecs.register_error(ERRORS, _replace)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=ERRORS)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:       # and no stand-in
        sys.stdout = _on(_StandardOutput, sys.stdout)
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr = _on(_StandardError, sys.stderr)


class OutputError(OSError):
    """Standard output cannot be written."""


def discard_output() -> None:
    """Where nobody takes it any more: Python must not complain about that at its end either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _StandardOutput(io.FileIO):
    def write(self, data: Any) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(error.errno, error.strerror) from None


class _StandardError(io.FileIO):
    def write(self, data: Any) -> int | None:  # type: ignore[override]
        try:
            return super().write(data) or len(data)     # None: it would have to wait
        except OSError:
            return len(data)


def _on(kind: type[io.FileIO], stream: io.TextIOWrapper) -> io.TextIOWrapper:
    raw = kind(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(raw if stream.write_through else io.BufferedWriter(raw),
                            stream.encoding, stream.errors, line_buffering=stream.line_buffering,
                            write_through=stream.write_through)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start:error.end]
    return "".join(_PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode() for char in refused), error.end
