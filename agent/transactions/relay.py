"""One request to the payment application, one answer back, byte for byte.

Rules
- The request goes out exactly as it came, without EOT. The answer ends by EOT EOT, by the end of its format (JSON, XML,
  STX … ETX LRC), by the end of the stream, or by `frame_gap` seconds of quiet (`wire.framing` has the details). Half a
  message of a known format is no answer, whatever the pause.
- The first answer counts. What follows it is dropped; the log says how many bytes.
- Everything ends by one deadline, `timeout` seconds from the call.
- An error says whether a byte *may* have reached the application (`handed_over`). Only if none can
  have, the transaction certainly did not run.
- Bodies appear in no log and in no exception. A program's stderr may hold card data too: it goes nowhere.

gevent is imported explicitly, so that this works with or without monkey patching.
"""
import errno
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import gevent
from gevent import socket, subprocess

from econduit_terminal.conf.values import Application
from econduit_terminal.process import lookups

from ..wire.errors import ProtocolError
from ..wire.framing import Frame, Framer
from .failpoints import failpoint

CONNECT_TIMEOUT = 5.0
"""Seconds until the connection is open; also those that a killed program gets to be reaped."""
_CHUNK = 65536
_TOLD = 5

log = logging.getLogger("relay")


class ApplicationError(Exception):
    """No answer from the payment application; `reason` is for people. `handed_over`: a byte may have reached it."""

    def __init__(self, reason: str, *, handed_over: bool):
        super().__init__(reason)
        self.reason = reason
        self.handed_over = handed_over


def ask(application: Application, request: bytes, *, timeout: float, frame_gap: float, max_message: int) -> bytes:
    """The application's answer to `request`, without the EOT EOT that may have ended it. Raises ApplicationError.

    timeout, frame_gap: seconds. max_message: the longest answer, in bytes.
    """
    deadline = time.monotonic() + timeout
    with _OPEN[application.kind](application, deadline) as stream:
        writer = gevent.spawn(_write, stream, request)
        try:
            framer = Framer(max_message, gap=frame_gap, application=True)
            return _read_answer(stream, framer, deadline, timeout)
        except OSError as error:
            raise _unanswered(f"closed the connection ({_why(error)})") from error
        finally:
            writer.kill()


def _unanswered(what: str) -> ApplicationError:
    return ApplicationError(f"payment application {what}; it is not known whether the transaction took place: "
                            "look at the payment application before trying again", handed_over=True)


# -- the exchange ----------------------------------------------------------------------------------------------------

class _Stream:
    """Two descriptors that do not block, from and to the application."""

    def __init__(self, reading: int, writing: int, end_of_request: Callable[[], None]):
        self.reading = reading
        self.writing = writing
        self.end_of_request = end_of_request
        self.answered = False


def _write(stream: _Stream, request: bytes) -> None:
    """Parallel to the reading, since an application may answer while it is still being written to."""
    rest = memoryview(request)
    with suppress(OSError):     # whether that matters shows in what comes back
        while rest:
            try:
                rest = rest[os.write(stream.writing, rest):]
            except BlockingIOError:
                socket.wait_write(stream.writing)
        stream.end_of_request()
        failpoint("asked")


def _read_answer(stream: _Stream, framer: Framer, deadline: float, timeout: float) -> bytes:
    while True:
        now = time.monotonic()
        if now >= deadline:
            raise _unanswered(f"gave no complete answer within {timeout:g} s")
        due = framer.deadline()
        with suppress(TimeoutError):
            socket.wait_read(stream.reading, timeout=max(0.0, (deadline if due is None else min(deadline, due)) - now))
        try:
            data = os.read(stream.reading, _CHUNK)
        except BlockingIOError:         # a gap only if nothing waits, however long this process stood still
            frame = framer.quiet(time.monotonic())
        else:
            frame = _answer(framer, data)
        if frame:
            stream.answered = True
            if dropped := _further(framer):
                log.warning("the payment application answered more than once: the first answer of %d bytes counts, "
                            "dropped: %s bytes", len(frame.payload), ", ".join(map(str, dropped)))
            return frame.payload


def _further(framer: Framer) -> list[int]:
    """The sizes of the first few answers that came with the one that counts."""
    sizes: list[int] = []
    with suppress(ProtocolError):
        while len(sizes) < _TOLD and (frame := framer.next_frame()):
            sizes.append(len(frame.payload))
    return sizes


def _answer(framer: Framer, data: bytes) -> Frame | None:
    """The answer that is complete now; `data` is b"" at the end of the stream. Raises ApplicationError."""
    framer.feed(data, time.monotonic())
    try:
        frame = framer.next_frame() if data else framer.finish()
    except ProtocolError as error:
        raise _unanswered("gave an answer that is too long (transactions.max_message)" if data else
                          "closed without a complete answer") from error
    if not (data or frame):
        raise _unanswered("closed without an answer")
    return frame


# -- the three kinds of application ----------------------------------------------------------------------------------

@contextmanager
def _tcp(application: Application, deadline: float) -> Iterator[_Stream]:
    assert application.endpoint
    host, port = application.endpoint
    with _reaching(application):
        connected = _connected(host, port, _connect_timeout(deadline))
    with connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield _Stream(connected.fileno(), connected.fileno(), lambda: None)


def _connected(host: str, port: int, timeout: float) -> socket.socket:
    """Raises OSError."""
    names = lookups.names_for(host)
    for name in names[:-1]:
        with suppress(socket.gaierror):
            return socket.create_connection((name, port), timeout=timeout)
    return socket.create_connection((names[-1], port), timeout=timeout)


@contextmanager
def _unix(application: Application, deadline: float) -> Iterator[_Stream]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connected:
        connected.settimeout(_connect_timeout(deadline))
        with _reaching(application):
            connected.connect(application.path or "")
        yield _Stream(connected.fileno(), connected.fileno(), lambda: None)


@contextmanager
def _exec(application: Application, deadline: float) -> Iterator[_Stream]:
    """The program gets the request on stdin and the end of it; its own session makes it one group to be killed."""
    with _reaching(application):
        process = subprocess.Popen(application.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, bufsize=0, start_new_session=True,
                                   env=lookups.environment_of_others())
    stdin, stdout = process.stdin, process.stdout
    assert stdin and stdout
    for pipe in (stdin, stdout):
        os.set_blocking(pipe.fileno(), False)
    stream = _Stream(stdout.fileno(), stdin.fileno(), stdin.close)
    try:
        yield stream
    finally:
        stdin.close()
        stdout.close()
        if stream.answered:     # it may have a receipt to print; what else it says is dropped
            reaper = gevent.spawn(_reap, process, max(0.0, deadline - time.monotonic()))
            reaper.link_exception(
                lambda failed: log.error("the program was not reaped: %s", type(failed.exception).__name__))
        else:
            _reap(process, 0.0)


def _reap(process: "subprocess.Popen[bytes]", patience: float) -> None:
    """Waits up to `patience` seconds for the program to end, then ends it and whatever it started."""
    gevent.with_timeout(patience, process.wait, timeout_value=None)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    gevent.with_timeout(CONNECT_TIMEOUT, process.wait, timeout_value=None)
    if process.returncode:
        log.info("the payment application's program ended with status %d", process.returncode)


_OPEN = {"tcp": _tcp, "unix": _unix, "exec": _exec}


def _connect_timeout(deadline: float) -> float:
    return max(0.001, min(CONNECT_TIMEOUT, deadline - time.monotonic()))


@contextmanager
def _reaching(application: Application) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApplicationError(f"payment application not reachable at {_name(application)} ({_why(error)}), the "
                               "transaction did not take place: start it, or correct transactions.application",
                               handed_over=False) from error


def _name(application: Application) -> str:
    """Where it is. A program's arguments may hold secrets, and stay out."""
    return f"exec:{application.argv[0]}" if application.kind == "exec" else str(application)


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer to the connection attempt"
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    known = error.errno if error.errno in errno.errorcode else None
    return os.strerror(known) if known else type(error).__name__
