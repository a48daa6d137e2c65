"""Bytes from a terminal cut into messages, each ended by two 0x04 bytes. PURE.

The sandbox cuts on its own, and strictly: a terminal that ends a message with one 0x04, or not at all, is found out
here. Nothing is shared with the product's own framing, so that neither hides a mistake of the other.
"""
END = b"\x04\x04"


class TooLong(Exception):
    """More bytes than the limit came without an end."""


class MessageSplitter:
    """Feed it what arrives; it hands back whole messages, without their end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()

    @property
    def pending(self) -> int:
        """How many bytes wait for their end."""
        return len(self._bytes)

    def receive(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes. Raises TooLong."""
        scanned = max(0, len(self._bytes) - 1)
        self._bytes += data
        messages, start = [], 0
        while (end := self._bytes.find(END, max(start, scanned))) >= 0:
            messages.append(bytes(self._bytes[start:end]))
            start = end + len(END)
        del self._bytes[:start]
        if len(self._bytes) > self._limit or any(len(message) > self._limit for message in messages):
            raise TooLong(f"more than {self._limit} bytes without EOT EOT")
        return messages
