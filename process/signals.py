"""Signals that come while a program starts wait until it can handle them: none ends it, none is lost.

SIGHUP and SIGUSR1 end a process without handlers for them, and it takes a while until the agent or the watchdog has
its own: imports, settings. A blocked signal stays pending, also over an execve(2).
"""
import signal

HANDLED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1})


def hold() -> None:
    """The first thing that a program does which handles them later."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)


def release() -> None:
    """Its handlers are set: what came meanwhile is delivered now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
