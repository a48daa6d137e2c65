"""One question to a name server, in bytes (RFC 1035 section 4), to learn whether and how it answers. PURE.

The C library's lookup tells that there is no address, but not why: a name server that is silent, one that fails
(SERVFAIL, often a router whose line is down), one that refuses, one that says there is no such name.
"""
import struct

_ERRORS = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
TRUNCATED = "truncated"
NO_ADDRESS = "no address"
ADDRESS = "an address"
_HEADER = struct.Struct("!HHHHHH")
_RECURSION_DESIRED, _RESPONSE, _TRUNCATED = 0x0100, 0x8000, 0x0200
_A, _IN = 1, 1


def question(number: int, host: str) -> bytes:
    """For the host's IPv4 address. Raises ValueError for what cannot be a name."""
    labels = host.rstrip(".").encode("idna").split(b".")
    if not all(0 < len(label) < 64 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise ValueError(f"{host} is no name")
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + name + struct.pack("!HH", _A, _IN)


def read_answer(number: int, answer: bytes) -> str | None:
    """What a name server answered: ADDRESS, NO_ADDRESS, TRUNCATED or the name of its error; None if this does not
    answer question `number`."""
    if len(answer) < _HEADER.size:
        return None
    echoed, flags, _, answers, _, _ = _HEADER.unpack_from(answer)
    if echoed != number or not flags & _RESPONSE:
        return None
    if code := flags & 0xF:
        return _ERRORS.get(code, f"error {code}")
    if flags & _TRUNCATED:
        return TRUNCATED
    return ADDRESS if answers else NO_ADDRESS
