"""One open connection: bytes in, bytes out, and the proof that they arrived."""
import errno
import itertools
import logging
import socket as std
import struct
import time
from collections.abc import Callable

import gevent
import netifaces
from gevent.lock import RLock
from gevent.ssl import SSLError, SSLSocket

from . import tcp_info
from .dialed import Dialed
from .liveness import SEGMENTS
from .tcp_info import ESTABLISHED, TcpInfo

log = logging.getLogger(__name__)

READ_SIZE = 65536
FIRST_POLL, LAST_POLL = 0.001, 0.05
"""Seconds between two polls of the unacknowledged bytes, doubling from the first to the last."""
TCP_THIN_LINEAR_TIMEOUTS = 16
"""linux/tcp.h: up to six times, the same data are sent again after the same time, not after twice the time before."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER by which `close` resets the connection and drops what was not sent (socket(7))."""
_numbers = itertools.count(1)


class Connection:
    """A socket to the cloud. `number`: for logs, counts the connections of this process.

    encode: a response's bytes on the wire (wire.session.Session.respond).
    """

    def __init__(self, dialed: Dialed, encode: Callable[[bytes], bytes]):
        self._socket = dialed.socket
        self._encode = encode
        self.endpoint = dialed.endpoint
        self.number = next(_numbers)
        self.local_address = self._socket.getsockname()[0]
        self.interface = interface_of(self.local_address)
        self._writing = RLock()
        self._open = True
        self._stuck: OSError | None = None
        self.frozen = False
        self.last_data = time.monotonic()       # when bytes last went in or out
        self.on_write: Callable[[], None] | None = None     # called when bytes have been handed to the kernel
        self._hurrying = False
        self._congestion: bytes | None = None               # the algorithm to go back to after that

    def receive(self) -> bytes:
        """The next bytes; empty at the end of the stream. Raises OSError when the connection is lost or aborted."""
        try:
            data: bytes = self._socket.recv(READ_SIZE)
        except ValueError:      # under TLS nothing is decrypted after `end`: that something came is all that is known
            data = b""
        except SSLError as error:       # the peer's last word (an alert), or one that is not TLS: not silence
            raise (self._stuck or ConnectionAbortedError(errno.ECONNABORTED, f"TLS: {error.reason or error}")) from None
        except OSError as error:
            raise (self._stuck or error) from None
        if self._stuck and not data:
            raise self._stuck
        if data:
            self.last_data = time.monotonic()
        return data

    def write(self, data: bytes, timeout: float) -> None:
        """Hand `data` to the kernel. Raises OSError; TimeoutError when the peer takes nothing for `timeout` seconds.

        Some of `data` may be on its way then, and nothing could follow it that the peer would understand: `receive`
        raises the same error, and with it the connection ends.
        """
        stuck = TimeoutError(errno.ETIMEDOUT, "the peer takes no more bytes")
        try:
            with gevent.Timeout(timeout, stuck), self._writing:
                self._send_all(data)
        except TimeoutError as error:
            if error is stuck:
                self._fail(stuck)
            raise

    def _send_all(self, data: bytes) -> None:
        size = self._socket.getsockopt(std.IPPROTO_TCP, std.TCP_MAXSEG)
        if size > SEGMENTS[0] or len(data) <= size or isinstance(self._socket, SSLSocket):
            self._socket.sendall(data)
        else:
            # A path that loses large packets. Each piece stays a segment of its own, also when it is sent again; with
            # segmentation offload a router on this very machine (containers) would see several as one packet.
            for at in range(0, len(data), size):
                self._socket.sendall(data[at:at + size], std.MSG_EOR)
        self.last_data = time.monotonic()
        if self.on_write:
            self.on_write()

    def send(self, payload: bytes, timeout: float) -> bool:
        """Send a response, encoded, and wait until the peer's TCP has acknowledged every byte of it.

        True: it did, on a connection that neither side had ended. False: the connection was lost before, or `timeout`
        seconds passed, which ends it; whether the response arrived is unknown then. Never raises OSError.
        """
        if self.frozen:
            return False
        deadline = time.monotonic() + timeout
        try:
            self.write(self._encode(payload), timeout)
            interval = FIRST_POLL
            while self._unacknowledged():
                # A connection that the peer reset never clears its count: check the state, too.
                if self.frozen or tcp_info.state(self._socket) != ESTABLISHED:
                    return False
                if time.monotonic() >= deadline:
                    raise self._fail(TimeoutError(errno.ETIMEDOUT, "the peer acknowledges nothing"))
                gevent.sleep(interval)
                interval = min(2 * interval, LAST_POLL)
            return self._open and not self.frozen and tcp_info.state(self._socket) == ESTABLISHED
        except (OSError, ValueError) as error:      # ValueError: the socket was closed meanwhile
            log.debug("connection %d: response not sent (%s)", self.number, error)
            return False

    def retune(self, prepare: Callable[[std.socket], None]) -> None:
        """Apply new keepalive settings to the living connection: `prepare(socket)`."""
        try:
            prepare(self._socket)
        except OSError as error:
            log.debug("connection %d: settings not applied (%s)", self.number, error)

    def readable(self) -> bool:
        """Bytes from the cloud wait in the kernel."""
        try:
            return tcp_info.readable(self._socket) > 0
        except (OSError, ValueError):
            return False

    def arrived(self) -> bool:
        """The peer's TCP acknowledged all that was written. False as well where the kernel does not know any more."""
        try:
            return self._unacknowledged() == 0
        except (OSError, ValueError):
            return False

    def info(self) -> TcpInfo | None:
        """What the kernel knows of it now; None where it says too little."""
        return tcp_info.read(self._socket)

    def keepalive_after(self, idle: int) -> None:
        """Have the kernel ask after `idle` seconds without a word; at once if they are over.

        A new time counts from the last word, and a probe is sent if it is over: see tcp_sock_set_keepidle in
        net/ipv4/tcp.c. While bytes are under way no probe is sent: these ask as well.
        """
        try:
            self._socket.setsockopt(std.IPPROTO_TCP, std.TCP_KEEPIDLE, idle)
        except OSError as error:
            log.debug("connection %d: keepalive is as it was (%s)", self.number, error)

    def hurry(self, on: bool) -> None:
        """Whether unacknowledged bytes are sent again at even intervals at first, instead of ever longer ones.

        A stall of a second, which doubles the kernel's interval twice, then costs no more than that second. BBR never
        counts as a thin stream (tcp_stream_is_thin in net/tcp.h), so Reno replaces it meanwhile.
        """
        if on == self._hurrying:
            return
        self._hurrying = on
        try:
            self._socket.setsockopt(std.IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, int(on))
            if on:
                name = self._socket.getsockopt(std.IPPROTO_TCP, std.TCP_CONGESTION, 16).rstrip(b"\0")
                self._congestion = name if name.startswith(b"bbr") else None
            if self._congestion:
                self._socket.setsockopt(std.IPPROTO_TCP, std.TCP_CONGESTION, b"reno" if on else self._congestion)
        except OSError as error:
            log.debug("connection %d: retransmissions are as they were (%s)", self.number, error)

    def reset_on_close(self) -> None:
        """Nothing more is to be delivered: `close` will reset the connection and drop what waits to be sent."""
        try:
            self._socket.setsockopt(std.SOL_SOCKET, std.SO_LINGER, RESET)
        except OSError as error:
            log.debug("connection %d: no reset on close (%s)", self.number, error)

    def freeze(self) -> None:
        """The path is gone: nothing is sent any more, not even the end, until `close`, which then resets.

        Whatever the kernel wanted to send over a cable that is out (a probe, a reset) would leave an unanswered
        question for the gateway in its neighbour table. It repeats that once a second at most (arp(7)), and the first
        dial after the cable's return would wait for it.
        """
        self.frozen = True
        # A sender that waits for room in the buffer would wait for TCP_USER_TIMEOUT, and the next connection for it.
        # gevent has no public name for that wait; a closed socket's is None, which cancel_wait accepts.
        waiting = self._socket._write_event     # type: ignore[attr-defined]
        gevent.get_hub().cancel_wait(waiting, OSError(errno.ENETDOWN, "the path is gone"))
        try:
            self._socket.setsockopt(std.SOL_SOCKET, std.SO_KEEPALIVE, 0)
            self._socket.setsockopt(std.SOL_SOCKET, std.SO_LINGER, RESET)
        except OSError as error:
            log.debug("connection %d: not frozen (%s)", self.number, error)

    def shutdown(self) -> None:
        """Say the end to the cloud (FIN): `receive` then gives what still comes, and the cloud's own end."""
        try:
            self._socket.shutdown(std.SHUT_WR)
        except OSError as error:
            log.debug("connection %d: no orderly end (%s)", self.number, error)

    def close(self) -> None:
        """Close, letting the kernel deliver what was written; a frozen one is reset. Wakes the reader."""
        if self._open:
            self._open = False
            self._socket.close()

    def fail(self, why: str) -> None:
        """End the connection for something that the peer did: `receive` raises it."""
        self._fail(ConnectionAbortedError(errno.ECONNABORTED, why))

    def _fail(self, error: OSError) -> OSError:
        """The connection is useless, though the kernel keeps it: end it, and let `receive` raise the error."""
        self._stuck = error
        try:
            self._socket.shutdown(std.SHUT_RDWR)
        except OSError as already:
            log.debug("connection %d: %s", self.number, already)
        return error

    def _unacknowledged(self) -> int:
        return tcp_info.unacknowledged(self._socket)


def interface_of(address: str) -> str | None:
    """The interface that carries an address; None where none does (any more)."""
    plain = address.partition("%")[0]
    names: list[str] = netifaces.interfaces()
    for name in names:
        try:
            families = netifaces.ifaddresses(name).values()
        except ValueError:      # it went away between the two questions
            continue
        for entries in families:
            if any(entry.get("addr", "").partition("%")[0] == plain for entry in entries):
                return name
    return None
