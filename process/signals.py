"""Signals that come while a program starts wait until it can heed them: none ends it, none is lost.

What SIGHUP and SIGUSR1 do to a process that has said nothing about them is to end it, and it takes a while until the
agent or the watchdog has its handlers: imports, settings. A blocked signal stays pending, also over an execve(2).
"""
import signal

HEEDED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1})


def hold() -> None:
    """The first thing that a program does which heeds them later."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)


def release() -> None:
    """Its handlers are set: what came meanwhile is delivered now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)
