"""What each of the sandbox's programs does: listen on a port, say that it is ready, run until it is told to stop."""
import json
import logging
import os
import signal
import socket
import sys
from typing import Any

import gevent
from gevent.event import Event

log = logging.getLogger("sandbox")

BACKLOG = 65_535
"""Connections that may wait to be accepted; the kernel grants as many as net.core.somaxconn says."""


def listener(host: str, port: int) -> socket.socket:
    """A listening TCP socket that takes over a port its predecessor has just left. Raises OSError, which names both."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {host} port {port} ({error.strerror or error})") from None
    return sock


def until_stopped(with_stdin: bool) -> None:
    """Waits for SIGTERM or SIGINT or, `with_stdin`, until whoever holds the other end of stdin is gone."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    if with_stdin:
        gevent.spawn(_until_closed, stop)
    stop.wait()


def _until_closed(stop: Event) -> None:
    try:
        while gevent.get_hub().threadpool.apply(os.read, (0, 4096)):
            pass
    except OSError as error:
        log.warning("stdin cannot be read: %s", error)
    stop.set()


def announce(ready: dict[str, Any]) -> None:
    """The line on stdout that says that the program is ready, and where."""
    try:
        print(json.dumps(ready), flush=True)
    except OSError:
        log.warning("nobody reads the readiness line")
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # for as long as the process lives
