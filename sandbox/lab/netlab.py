"""Hosts out of network namespaces: a terminal, its routers, and the internet with a cloud in it.

    terminal ── eth0 ── router  ── wan ──┐
             ── eth1 ── uplink2 ── wan ──┴── cloud   (9.9.9.9 name server, 203.0.113.10 cloud, 203.0.113.99 another)

What is real here: carrier (the router's end of a cable goes down), addresses, routes, neighbours, silence (nftables
drops in the router). What is not: a radio; Wi-Fi is tested with a tree of files. Nothing ever leaves the namespaces.

Root is enough. An ordinary user gets the same inside a user namespace of their own, where the kernel allows one. Names
carry the pid of the process that made them: what a killed run left behind is removed by the next one.
"""
import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self, TypeVar

from econduit_terminal.sandbox.lab.host import Host, NameServer
from econduit_terminal.sandbox.lab.process import Process
from econduit_terminal.sandbox.lab.router import Router

PREFIX = "ect"
DNS, CLOUD, ELSEWHERE = "9.9.9.9", "203.0.113.10", "203.0.113.99"
CLOUD6, ELSEWHERE6, ROUTER6 = "fd00:cafe::10", "fd00:cafe::99", "fd00:77:1::1"
"""There are these after `Lab.ipv6` only."""
TOOLS = ("ip", "nft", "unshare", "nsenter", "setpriv")

AHost = TypeVar("AHost", bound=Host)
_counter = itertools.count()


class Unavailable(Exception):
    """Why there is no laboratory here, in one line."""


class Lab:
    """The laboratory. A context manager: whatever happens inside, nothing stays.

    `terminal` `router` `cloud` are hosts; `uplink2` too, with `uplinks=2`. Raises Unavailable.
    """

    def __init__(self, uplinks: int = 1):
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing:
            raise Unavailable(f"no network laboratory: {', '.join(missing)} not installed (see scripts/test)")
        self.id = f"{PREFIX}{os.getpid()}-{next(_counter)}"
        self.enter: list[str] = []
        self.processes: list[Process] = []
        self._stack = contextlib.ExitStack()
        self._uplinks = uplinks
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix=self.id))
        self.resolv_conf = Path(folder, "resolv.conf")
        self.resolv_conf.write_text(f"nameserver {DNS}\n")

    def __enter__(self) -> Self:
        try:
            if os.geteuid():
                self._become_root()
            else:
                remove_stale()
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        for process in reversed(self.processes):
            process.end()
        self._stack.close()

    def run(self, *arguments: str, input: str | None = None) -> str:
        done = subprocess.run([*self.enter, *arguments], capture_output=True, text=True, timeout=30, input=input)
        if done.returncode:
            raise AssertionError(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    # Cables and addresses

    def cable_out(self, interface: str = "eth0") -> None:
        self._far_end(interface).ip("link set lan down")

    def cable_in(self, interface: str = "eth0") -> None:
        router = self._far_end(interface)
        router.ip("link set lan up")

    def set_address(self, address: str, gateway: str, interface: str = "eth0", metric: int = 100) -> None:
        """As a DHCP client does it: the old address and its routes go, the new ones come."""
        self.terminal.ip(f"addr flush dev {interface}", f"addr add {address} dev {interface}",
                         f"route add default via {gateway} dev {interface} metric {metric}")

    def take_address(self, interface: str = "eth0") -> None:
        self.terminal.ip(f"addr flush dev {interface}")

    def plug_new_interface(self) -> None:
        """eth0 again, after its cable was deleted: another interface by the same name, with its old address."""
        self._cable("eth0", self.terminal, self.router, "lan")
        self.router.ip(*self.router.addresses, "link set lan up")
        self.terminal.ip("addr add 10.77.1.2/24 dev eth0", "link set eth0 up",
                         "route add default via 10.77.1.1 dev eth0 metric 100")

    def ipv6(self) -> None:
        """IPv6 all the way over the first uplink, beside IPv4; `drop`, `reject` and `allow` then mean both."""
        self.terminal.ip("addr add fd00:77:1::2/64 dev eth0 nodad", f"route add default via {ROUTER6} dev eth0")
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.router.ip(f"addr add {ROUTER6}/64 dev lan nodad", "addr add fd00:51:1::1/64 dev wan nodad",
                       "route add fd00:cafe::/64 via fd00:51:1::2")
        self.router.families = ("ip", "ip6")
        self.router.nft("table ip6 lab { chain forward { type filter hook forward priority 0; }; }")
        self.cloud.ip("addr add fd00:51:1::2/64 dev wan1 nodad", "route add fd00:77:1::/64 via fd00:51:1::1",
                      *(f"addr add {address}/128 dev lo nodad" for address in (CLOUD6, ELSEWHERE6)))
        for _ in range(50):         # link-local addresses come a second or two after the link
            if not self.terminal.run("ping", "-6", "-c", 1, "-W", 1, CLOUD6, check=False).returncode:
                return
        raise AssertionError("no IPv6 through the laboratory")

    def name_server(self, **names: str) -> NameServer:
        """A name server in the cloud: name → answer, a dot in a name written as two underscores."""
        server = NameServer(self.cloud, DNS, self.resolv_conf.with_name("names"))
        server.set({name.replace("__", "."): answer for name, answer in names.items()})
        return server

    def router_name_server(self, records: dict[str, str]) -> NameServer:
        """A name server in the router, which the terminal asks from then on, as it does at a merchant's."""
        server = NameServer(self.router, self.router.gateway, self.resolv_conf.with_name("router-names"))
        server.set(records)
        self.resolv_conf.write_text(f"nameserver {self.router.gateway}\n")
        return server

    def _far_end(self, interface: str) -> Router:
        return self.router if interface == "eth0" else self.uplink2

    # Building

    def _build(self) -> None:
        self.cloud = self._host(Host, "cloud")
        self.terminal = self._host(Host, "terminal")
        self.cloud.ip(*(f"addr add {address}/32 dev lo" for address in (DNS, CLOUD, ELSEWHERE)))
        self.router = self._uplink(1, "router", "eth0", metric=100)
        if self._uplinks > 1:
            self.uplink2 = self._uplink(2, "uplink2", "eth1", metric=600)

    def _host(self, kind: type[AHost], name: str) -> AHost:
        host = kind(self, name)
        self.run("ip", "netns", "add", host.namespace)
        self._stack.callback(self._remove, host.namespace)
        host.ip("link set lo up")
        return host

    def _uplink(self, number: int, name: str, interface: str, metric: int) -> Router:
        router = self._host(Router, name)
        router.set_up()
        self._cable(interface, self.terminal, router, "lan")
        self._cable(f"wan{number}", self.cloud, router, "wan")
        lan, wan = f"10.77.{number}", f"198.51.{100 + number}"
        self.cloud.ip(f"addr add {wan}.2/24 dev wan{number}", f"link set wan{number} up")
        router.plan(f"{lan}.1/24", f"{wan}.1/24", f"{wan}.2", DNS)
        self.cloud.ip(f"route add {lan}.0/24 via {wan}.1")
        self.terminal.ip(f"addr add {lan}.2/24 dev {interface}", f"link set {interface} up",
                         f"route add default via {lan}.1 dev {interface} metric {metric}")
        return router

    def _cable(self, end: str, host: Host, router: Router, far: str) -> None:
        self.run("ip", "link", "add", end, "netns", host.namespace, "type", "veth",
                 "peer", "name", far, "netns", router.namespace)

    def _remove(self, namespace: str) -> None:
        _kill_inside(namespace, self.enter)
        subprocess.run([*self.enter, "ip", "netns", "delete", namespace], capture_output=True, timeout=30)

    def _become_root(self) -> None:
        """A user namespace that ends with us: its holder reads a pipe of ours to the end."""
        holder = subprocess.Popen(["unshare", "-Urnm", "sh", "-c",
                                   "mount -t tmpfs lab /run && mkdir /run/netns && echo ready && exec cat"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert holder.stdin and holder.stdout and holder.stderr
        self._stack.callback(holder.wait)
        self._stack.callback(holder.stdin.close)
        if holder.stdout.readline() != "ready\n":
            said = holder.stderr.read().strip().replace("\n", "; ")
            raise Unavailable(f"no network laboratory: not root, and no user namespace to be had ({said})")
        self.enter = ["nsenter", "--preserve-credentials", "-U", "-n", "-m", "-t", str(holder.pid)]


def remove_stale() -> None:
    """Namespaces and folders of runs whose process is gone."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, timeout=30).stdout
    for namespace in (line.split()[0] for line in listed.splitlines() if _is_stale(line)):
        _kill_inside(namespace, [])
        subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, timeout=30)
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_stale(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _is_stale(name: str) -> bool:
    """The name begins with an `id`, and the process in it is gone."""
    owner = re.match(rf"{PREFIX}(\d+)-", name)
    return owner is not None and not Path("/proc", owner[1]).exists()


def _kill_inside(namespace: str, enter: list[str]) -> None:
    inside = subprocess.run([*enter, "ip", "netns", "pids", namespace], capture_output=True, text=True, timeout=30)
    for pid in inside.stdout.split():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(int(pid), signal.SIGKILL)
