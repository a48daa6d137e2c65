"""Memory that was freed, back to the system."""
from contextlib import suppress


def trim() -> None:
    """malloc_trim(3): glibc keeps what a thread freed for that thread. Takes milliseconds; does nothing where there is
    no ctypes, or the C library has no such call. For rare moments: ctypes stays loaded."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes
        ctypes.CDLL(None).malloc_trim(0)
