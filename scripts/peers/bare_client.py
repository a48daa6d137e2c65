"""The least that a client can do, to measure the product by: blocking, woken by netlink, dials at once.

    bare_client.py HOST PORT [TERMINALID]

Registers like the terminal, with the same keepalive and user timeout, and no more: one endpoint, no heartbeats, no
waiting policy, no transactions. Prints `<monotonic seconds> carrier-lost | carrier-back | online | offline`.
"""
import errno
import os
import select
import socket
import sys
import time
from pathlib import Path

REGISTER = ('{"Command":"Register","TerminalType":"SandboxMaker","TerminalModel":"Model1","TerminalID":"%s",'
            '"SoftwareVersion":"1","AckHeartbeat":"false"}\x04\x04')
RTMGRP_LINK = 1
STEP, PAUSE = 0.01, 0.5
"""Seconds between dials that fail at once, and between those that are refused or not answered."""


def say(what: str) -> None:
    print(time.monotonic(), what, flush=True)


def carrier() -> bool:
    try:
        return Path("/sys/class/net/eth0/operstate").read_text().strip() == "up"
    except OSError:
        return False


def dial(address: tuple[str, int], name: str) -> socket.socket:
    """A registered connection. Raises OSError."""
    sock = socket.socket()
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3),
                          (socket.TCP_USER_TIMEOUT, 5000)):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.settimeout(5)
    try:
        sock.connect(address)
        sock.sendall((REGISTER % name).encode())
        if sock.recv(100).startswith(b"OK-REGISTRATION"):
            return sock
    except OSError:
        sock.close()
        raise
    sock.close()
    raise ConnectionError("refused")


def main(host: str, port: str, name: str = "bare") -> None:
    """Until it is killed."""
    bell = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    bell.bind((os.getpid(), RTMGRP_LINK))
    up = carrier()
    link: socket.socket | None = None
    while True:
        if link is None and up:
            try:
                link = dial((host, int(port)), name)
                say("online")
            except OSError as error:
                time.sleep(STEP if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH) else PAUSE)
                up = carrier()
                continue
        ready, _, _ = select.select([bell, *([link] if link else [])], [], [])
        if bell in ready:
            bell.recv(65536)
            now = carrier()
            if now != up:
                up = now
                say("carrier-back" if up else "carrier-lost")
                if not up and link:
                    link.close()
                    link = None
                    say("offline")
        if link is not None and link in ready:
            try:
                alive = link.recv(65536)
            except OSError:
                alive = b""
            if not alive:
                link.close()
                link = None
                say("offline")


main(*sys.argv[1:])
