"""A scanner of messages, fed piece by piece."""
from econduit_terminal.agent.wire.formats import Malformed, Scanner


def end(scanner: Scanner, data: bytes, step: int = 1) -> int | None:
    """Where the scanner finds the end when the bytes come by `step`; None: it does not; -1: it is malformed."""
    buffer = bytearray()
    for at in range(0, len(data), step):
        buffer += data[at:at + step]
        try:
            if (found := scanner.scan(buffer, len(buffer))) is not None:
                return found
        except Malformed:
            return -1
    return None
