"""A TCP port on 127.0.0.1 where a dial meets silence."""
import select
import socket
from typing import Self


class BlackHole:
    """As behind a firewall that drops: its backlog is full, so the kernel ignores every further SYN. A context
    manager."""

    def __init__(self) -> None:
        self._server = socket.socket()
        self._fillers: list[socket.socket] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._server.bind(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.fill()
        return self

    def __exit__(self, *exception: object) -> None:
        for sock in (self._server, *self._fillers):
            sock.close()

    def fill(self) -> None:
        """Fill the backlog until a dial is no longer answered."""
        self._server.listen(0)
        for _ in range(20):
            filler = socket.socket()
            self._fillers.append(filler)
            filler.setblocking(False)
            filler.connect_ex(self._server.getsockname())
            _, opened, _ = select.select([], [filler], [], 0.1)
            if not opened:
                return
        raise AssertionError("the backlog does not fill: no black hole on this kernel")
