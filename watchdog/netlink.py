"""The doorbell: the kernel says that something about the network changed.

A ring is a hint and nothing more. The messages themselves are not read: they may be late, doubled, lost on overflow or
out of date when they arrive, and the snapshot reads the truth anyway.
"""
import errno
import socket

RTMGRP_LINK = 0x1
RTMGRP_IPV4_IFADDR = 0x10
RTMGRP_IPV4_ROUTE = 0x40
RTMGRP_IPV6_IFADDR = 0x100
RTMGRP_IPV6_ROUTE = 0x400
GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE

_MOST_READS = 1000


class Doorbell:
    """A netlink socket that a selector can wait on. Raises OSError where the kernel offers none."""

    def __init__(self, groups: int = GROUPS):
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.setblocking(False)
        self._socket.bind((0, groups))

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> bool:
        """Take what is there, without waiting. True: it rang.

        An overflow (ENOBUFS) is a ring too: messages were lost, the socket stays usable. After _MOST_READS the rest of
        a storm is left for the next call, so that the loop can act meanwhile.
        """
        rang = False
        for _ in range(_MOST_READS):
            try:
                self._socket.recv(1)        # the rest of the message is dropped by the kernel
            except BlockingIOError:
                return rang
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
            rang = True
        return rang

    def close(self) -> None:
        self._socket.close()
