"""Memory that was freed, back to the system."""
from contextlib import suppress


def trim() -> None:
    """malloc_trim(3): glibc keeps what a thread freed for that thread. Takes milliseconds; nothing where another C
    library has no such call. For rare moments: ctypes stays loaded."""
    import ctypes
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
