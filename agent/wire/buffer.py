"""PURE. The bytes of one direction that are not done with, and where the first EOT EOT among them is.

No byte is searched twice, and what is done with is dropped at the front without a copy (CPython moves a bytearray's
beginning), so that many small messages in one segment cost no more each than few.
"""
from .formats import EOT2


class Buffer:
    def __init__(self) -> None:
        self.bytes = bytearray()
        self._searched = 0              # no EOT EOT begins before here
        self._eot2 = -1                 # the first one, where it is known

    def __len__(self) -> int:
        return len(self.bytes)

    @property
    def half(self) -> bool:
        """The last byte is an EOT, which may be the first of two."""
        return self.bytes.endswith(b"\x04")

    @property
    def eot2(self) -> int:
        """Where the first EOT EOT begins; -1 where none is."""
        if self._eot2 < 0:
            self._eot2 = self.bytes.find(EOT2, self._searched)
            self._searched = self._eot2 if self._eot2 >= 0 else max(0, len(self.bytes) - 1)
        return self._eot2

    @property
    def limit(self) -> int:
        """Up to where the bytes certainly are in front of an EOT EOT."""
        eot2 = self.eot2
        return eot2 if eot2 >= 0 else len(self.bytes) - self.half

    def add(self, data: bytes) -> None:
        self.bytes += data

    def drop(self, end: int) -> None:
        """The bytes before `end` are done with."""
        del self.bytes[:end]
        self._searched = max(0, self._searched - end)
        self._eot2 = self._eot2 - end if self._eot2 >= end else -1
