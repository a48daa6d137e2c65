"""What the kernel knows of a TCP connection (TCP_INFO, its queues), read into one typed record.

The bytes are `struct tcp_info` of linux/tcp.h, filled by tcp_get_info() in net/ipv4/tcp.c. The structure only ever grew
at its end, and a kernel hands out as much of it as it has; all that is read here came with Linux 4.6 (Debian 12 has
6.1). Emulators hand out less (qemu's user mode: 4 bytes); that is no record at all.
"""
import fcntl
import socket as std
import struct
import termios
from dataclasses import dataclass
from typing import Protocol

ESTABLISHED = 1
"""`state` of a connection that neither side has ended (enum in net/tcp_states.h)."""

_PLACES = {
    "state": ("B", 0), "probes": ("B", 3), "snd_mss": ("I", 16), "unacked": ("I", 24), "sacked": ("I", 28),
    "last_data_recv": ("I", 52), "last_ack_recv": ("I", 56), "rtt": ("I", 68), "rttvar": ("I", 72),
    "bytes_received": ("Q", 128), "segs_in": ("I", 140), "notsent_bytes": ("I", 144)}
"""Type and offset of the fields that are of use here."""
_SECONDS = {"rtt": 1e-6, "rttvar": 1e-6, "last_data_recv": 1e-3, "last_ack_recv": 1e-3}
"""The unit in which the kernel gives a time."""
_SIZE = 148
"""Bytes with all of these fields."""
_SO_MEMINFO = 55
"""asm-generic/socket.h. The first number that it gives, SK_MEMINFO_RMEM_ALLOC, is the memory that holds what arrived,
in order or not."""


class Socket(Protocol):
    """The part of a socket that is asked."""

    def fileno(self) -> int: ...

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """One reading. Durations in seconds, counts since the connection opened; the kernel's names without `tcpi_`.

    state: see ESTABLISHED. probes: keepalive or zero-window probes that were sent since the last ACK. unacked, sacked:
    segments in flight, and those of them that the peer has behind a hole. last_data_recv and last_ack_recv: age of the
    last data and of the last acceptable ACK. bytes_received: in order. segs_in: all segments of this connection, a bare
    ACK too. outq: bytes written that the peer has not acknowledged, notsent_bytes of them never sent. behind_hole: data
    arrived and cannot be read, because others that were sent before them did not.
    """
    state: int
    probes: int
    snd_mss: int
    unacked: int
    sacked: int
    last_data_recv: float
    last_ack_recv: float
    rtt: float
    rttvar: float
    bytes_received: int
    segs_in: int
    notsent_bytes: int
    outq: int
    behind_hole: bool


def parse(data: bytes, *, outq: int = 0, behind_hole: bool = False) -> TcpInfo | None:
    """The record in the bytes of a getsockopt(TCP_INFO); None where they are too few to tell anything."""
    if len(data) < _SIZE:
        return None
    values = {name: struct.unpack_from(f"={kind}", data, offset)[0] for name, (kind, offset) in _PLACES.items()}
    times = {name: values.pop(name) * unit for name, unit in _SECONDS.items()}
    return TcpInfo(**values, **times, outq=outq, behind_hole=behind_hole)


def read(sock: Socket) -> TcpInfo | None:
    """What the kernel says now; None where it does not say enough (an emulator), or the socket is closed."""
    try:
        data = sock.getsockopt(std.IPPROTO_TCP, std.TCP_INFO, _SIZE)
        return parse(data, outq=unacknowledged(sock), behind_hole=_behind_hole(sock))
    except (OSError, ValueError):       # ValueError: the socket was closed meanwhile
        return None


def state(sock: Socket) -> int:
    """Its first byte alone, which every emulator has. Raises OSError."""
    return sock.getsockopt(std.IPPROTO_TCP, std.TCP_INFO, 1)[0]


def unacknowledged(sock: Socket) -> int:
    """Bytes written that the peer's TCP has not acknowledged (SIOCOUTQ, tcp(7)). Raises OSError, ValueError."""
    return _ioctl_int(sock, termios.TIOCOUTQ)


def readable(sock: Socket) -> int:
    """Bytes that arrived and were not read (SIOCINQ, tcp(7)). Raises OSError, ValueError."""
    return _ioctl_int(sock, termios.FIONREAD)


def _behind_hole(sock: Socket) -> bool:
    """Memory is held, and there is nothing to read: it holds what arrived out of order."""
    try:
        held: int = struct.unpack_from("I", sock.getsockopt(std.SOL_SOCKET, _SO_MEMINFO, 4))[0]
    except (OSError, struct.error):     # an emulator
        return False
    return held > 0 and readable(sock) == 0


def _ioctl_int(sock: Socket, request: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(sock.fileno(), request, b"\0\0\0\0"))[0])
