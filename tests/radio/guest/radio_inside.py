"""What the tests speak to, inside the virtual terminal: one JSON object a line, both ways, over a virtio serial port.

    {"id": 1, "run": ["ip", "addr"], "limit": 60}       → {"id": 1, "status": 0, "output": "…"}
    {"id": 2, "call": "POST", "path": "/sandbox/reset", "body": {}}   → {"id": 2, "status": 200, "answer": …}
    {"id": 3, "start": ["econduit-sandbox", …], "name": "app"}        → {"id": 3, "pid": 77}
    {"id": 4, "hold": true}                             → {"id": 4}
    {"id": 5, "now": true}                              → {"id": 5, "now": 77.123}

By itself it tells what it hears, each with `at`, the machine's monotonic time in seconds:

    {"heard": "link", "interface": "wlan1", "state": "dormant", "at": …}       rtnetlink's own word
    {"heard": "address", "interface": "wlan1", "address": "192.168.50.61", "there": true, "at": …}
    {"heard": "default route", "interface": "wlan1", "there": true, "at": …}
    {"heard": "status", "status": {…}, "at": …}         GET /events of the agent, which may come and go
    {"heard": "line", "name": "app", "text": …, "at": …}                       output of what was started
    {"heard": "started", "at": …}                       this program itself

Python alone, and nothing of the product: it is there before the product is installed. It goes before the product when
both are ready to run, so that its times are those of the event and not of the queue behind it.
"""
import ctypes
import fcntl
import http.client
import json
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

PORT = "/dev/virtio-ports/lab"
AGENT = "/run/econduit-terminal/agent.sock"
CLOUD, HTTP = "203.0.113.10", 9080
HOLD = "/run/hold"
CLONE_NEWNET = 0x40000000

# linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h
RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE = 0x1, 0x10, 0x40
RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE = 16, 17, 20, 21, 24, 25
IFLA_IFNAME, IFLA_OPERSTATE, IFA_LOCAL, RTA_OIF = 3, 16, 2, 4
RT_TABLE_MAIN = 254
STATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")


class Port:
    """The line to the tests."""

    def __init__(self) -> None:
        self._descriptor = os.open(PORT, os.O_RDWR)
        self._lock = threading.Lock()

    def say(self, **words: Any) -> None:
        """One line to the tests."""
        data = json.dumps(words).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data):]

    def hear(self, **words: Any) -> None:
        """What was heard just now."""
        self.say(at=words.pop("at", None) or time.monotonic(), **words)

    def lines(self) -> TextIO:
        """What the tests ask for."""
        return os.fdopen(self._descriptor, "r", encoding="utf-8", closefd=False)


def attributes(data: bytes) -> dict[int, bytes]:
    """Netlink's attributes by their type."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind] = data[4:max(4, length)]
        data = data[max(4, length + 3 & ~3):]
    return found


def kernel_words(port: Port) -> None:
    """Tell what rtnetlink says, for as long as this runs."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        kernel.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE))
        while True:
            data = kernel.recv(1 << 16)
            at = time.monotonic()
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if words := kernel_word(kind, data[16:length]):
                    port.hear(at=at, **words)
                data = data[length + 3 & ~3:]


def kernel_word(kind: int, body: bytes) -> dict[str, Any] | None:
    """One message of rtnetlink; None where it is about nothing of ours."""
    if kind in (RTM_NEWLINK, RTM_DELLINK):
        found = attributes(body[16:])
        if IFLA_OPERSTATE not in found:     # an event of wireless extensions
            return None
        state = found[IFLA_OPERSTATE][0]
        return {"heard": "link", "interface": found[IFLA_IFNAME].rstrip(b"\0").decode(),
                "state": STATES[state] if kind == RTM_NEWLINK else "gone"}
    if kind in (RTM_NEWADDR, RTM_DELADDR) and body[0] == socket.AF_INET:
        found = attributes(body[8:])
        return {"heard": "address", "interface": name_of(struct.unpack_from("=I", body, 4)[0]),
                "address": socket.inet_ntoa(found[IFA_LOCAL]), "there": kind == RTM_NEWADDR}
    if kind in (RTM_NEWROUTE, RTM_DELROUTE) and body[1] == 0 and body[4] == RT_TABLE_MAIN:
        found = attributes(body[12:])
        if RTA_OIF in found:
            return {"heard": "default route", "interface": name_of(struct.unpack("=I", found[RTA_OIF])[0]),
                    "there": kind == RTM_NEWROUTE}
    return None


def name_of(index: int) -> str:
    """An interface's name; its number where it is gone."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)


def agent_words(port: Port) -> None:
    """Tell every status that the agent's event stream shows, for as long as this runs."""
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as agent:
                agent.settimeout(20)
                agent.connect(AGENT)
                agent.sendall(b"GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
                for line in agent.makefile("rb"):
                    if line.startswith(b"data: "):
                        port.hear(heard="status", status=json.loads(line[6:]))
        except OSError:
            pass
        time.sleep(0.1)


def cloud_call(method: str, path: str, body: Any) -> dict[str, Any]:
    """One HTTP call in the cloud's namespace; the thread stays there."""
    with open("/run/netns/cloud") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    connection = http.client.HTTPConnection(CLOUD, HTTP, timeout=120)
    try:
        connection.request(method, path, None if body is None else json.dumps(body),
                           {} if body is None else {"Content-Type": "application/json"})
        response = connection.getresponse()
        return {"status": response.status, "answer": json.loads(response.read())}
    finally:
        connection.close()


class Requests:
    """What the tests may ask for."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._held: TextIO | None = None

    def answer(self, asked: dict[str, Any]) -> None:
        """Carries one out, in a thread of its own, and says what came of it."""
        try:
            found = self._do(asked)
        except Exception as error:  # noqa: BLE001  the test is told, whatever it was
            found = {"error": repr(error)}
        self._port.say(id=asked["id"], **found)

    def _do(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "run" in asked:
            done = subprocess.run(asked["run"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=asked["limit"])
            return {"status": done.returncode, "output": done.stdout.decode(errors="replace")}
        if "now" in asked:
            return {"now": time.monotonic()}
        if "call" in asked:
            return cloud_call(asked["call"], asked["path"], asked.get("body"))
        if "start" in asked:
            return {"pid": self._start(asked["start"], asked["name"])}
        return self._hold(asked["hold"])

    def _start(self, command: list[str], name: str) -> int:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def read() -> None:
            for line in process.stdout or ():
                self._port.hear(heard="line", name=name, text=line.decode(errors="replace").rstrip("\n"))
            self._port.hear(heard="line", name=name, text=f"ended with status {process.wait()}")

        thread(read)
        return process.pid

    def _hold(self, wanted: bool) -> dict[str, Any]:
        """While held, the payment application does not answer amount 8.88."""
        if self._held is not None:
            self._held.close()
            self._held = None
        if wanted:
            self._held = open(HOLD, "w")        # noqa: SIM115  it is closed by the next one
            fcntl.flock(self._held, fcntl.LOCK_EX)
        return {}


def thread(work: Callable[..., None], *arguments: Any) -> None:
    """Beside the rest; it ends with the program."""
    threading.Thread(target=work, args=arguments, daemon=True).start()


def main() -> None:
    """Until the machine ends."""
    while not Path(PORT).exists():
        time.sleep(0.05)
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    port = Port()
    requests = Requests(port)
    thread(kernel_words, port)
    thread(agent_words, port)
    port.hear(heard="started")
    for line in port.lines():
        thread(requests.answer, json.loads(line))


if __name__ == "__main__":
    main()
