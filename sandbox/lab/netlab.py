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
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self, TypeVar

PREFIX = "ect"
DNS, CLOUD, ELSEWHERE = "9.9.9.9", "203.0.113.10", "203.0.113.99"
CLOUD6, ELSEWHERE6, ROUTER6 = "fd00:cafe::10", "fd00:cafe::99", "fd00:77:1::1"
"""There are these after ``Lab.ipv6`` only."""
TOOLS = ("ip", "nft", "unshare", "nsenter", "setpriv")

_counter = itertools.count()
# Standing in the namespace: only then may the name server of this machine be covered by the lab's own.
_ENTER = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'


FORGET_ALL = """
import socket, struct
NETLINK_NETFILTER, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, REQUEST, ACK = 12, 1, 2, 1, 4
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
kernel.send(struct.pack("=IHHIIBBH", 20, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, REQUEST | ACK, 1, 0,
                        socket.AF_INET, 0, 0))
error = struct.unpack_from("=i", kernel.recv(100), 16)[0]
assert error == 0, error
"""


class Unavailable(Exception):
    """Why there is no laboratory here, in one line."""


class Process:
    """A program in a host, its output read at once, line by line, with the (monotonic) time of each."""

    def __init__(self, arguments: list[str], env: Mapping[str, str] | None = None):
        self.lines: list[tuple[float, str]] = []
        self._grown = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                         stdin=subprocess.DEVNULL, env=env)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float = 10) -> int:
        return self._process.wait(timeout)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def line(self, part: str, timeout: float = 10, after: float = 0.0) -> tuple[float, str]:
        """The first line with ``part`` in it that came after the moment ``after``. Raises AssertionError."""
        found: tuple[float, str] | None = None

        def look() -> bool:
            nonlocal found
            found = next((entry for entry in self.lines if entry[0] >= after and part in entry[1]), None)
            return found is not None or self._ended

        with self._grown:
            self._grown.wait_for(look, timeout)
            if found:
                return found
        raise AssertionError(f"no line with {part!r} within {timeout} s, but:\n{self.text}")

    def end(self, timeout: float = 5) -> int:
        """SIGTERM, and SIGKILL if that was not heeded."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(timeout)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._grown:
                self.lines.append((time.monotonic(), line.rstrip("\n")))
                self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()


class Host:
    """One network namespace. Files and Unix sockets are those of the whole machine."""

    def __init__(self, lab: "Lab", name: str):
        self._lab, self.name = lab, name
        self.namespace = f"{lab.id}-{name}"

    def command(self, *arguments: object) -> list[str]:
        return [*self._lab.enter, "ip", "netns", "exec", self.namespace,
                "sh", "-c", _ENTER, str(self._lab.resolv_conf), *map(str, arguments)]

    def run(self, *arguments: object, check: bool = True, input: str | None = None,
            env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A program to its end, its output as text in ``stdout`` and ``stderr``."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, input=input,
                              env=env)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, arguments))} in {self.name}: {done.stderr or done.stdout}")
        return done

    def start(self, *arguments: object, env: Mapping[str, str] | None = None) -> Process:
        """A program in the background; it ends with the laboratory, however that ends."""
        process = Process(["setpriv", "--pdeathsig", "KILL", *self.command(*arguments)], env)
        self._lab.processes.append(process)
        return process

    def python(self, *arguments: object, env: Mapping[str, str] | None = None) -> Process:
        return self.start(sys.executable, "-u", *arguments, env=env)

    def ip(self, *commands: str) -> None:
        """ip(8) commands, in one go."""
        self._lab.run("ip", "-n", self.namespace, "-batch", "-", input="\n".join(commands))

    def serve(self, address: str, port: int, answer: str, seconds: float | None = None) -> Process:
        """Something that takes connections and answers: see lab_stranger.py."""
        stranger = self.python(Path(__file__).with_name("lab_stranger.py"), address, port, answer,
                               *([] if seconds is None else [seconds]))
        stranger.line("ready")
        return stranger

    def nft(self, rules: str) -> None:
        """nft(8) commands."""
        self._lab.run("ip", "netns", "exec", self.namespace, "nft", rules)

    def sysctl(self, key: str, value: object) -> None:
        self.run("sh", "-c", f"echo {value} > /proc/sys/{key.replace('.', '/')}")


class NameServer:
    """A name server (lab_dns.py) whose answers may change while it runs."""

    def __init__(self, host: Host, address: str, file: Path):
        self._file = file
        self._host, self._address = host, address
        self.set({})
        self.start()

    def start(self) -> None:
        self.process = self._host.python(Path(__file__).with_name("lab_dns.py"), self._address, self._file)
        self.process.line("ready")

    def set(self, records: dict[str, str]) -> None:
        """Name, ``*`` or ``*.domain`` → what is answered, see lab_dns.py. What is not named does not exist."""
        beside = self._file.with_suffix(".new")
        beside.write_text("".join(f"{name} {answer}\n" for name, answer in records.items()))
        beside.rename(self._file)

    def end(self) -> int:
        return self.process.end()


AHost = TypeVar("AHost", bound=Host)


class Router(Host):
    """Forwards between ``lan`` (the terminal's cable) and ``wan``; nftables in its forward hook."""

    families: tuple[str, ...] = ("ip",)

    def set_up(self) -> None:
        self.sysctl("net.ipv4.ip_forward", 1)
        self.nft("table ip lab { chain forward { type filter hook forward priority 0; }; }")

    def drop(self) -> None:
        """Silent loss of the internet: links and addresses stay, nothing gets through any more."""
        for family in self.families:
            self.nft(f"add rule {family} lab forward drop")

    def block_port(self, port: int, refuse: bool = False) -> None:
        """One TCP port, as a firewall does it: silence, or a reset."""
        self.nft(f"add rule ip lab forward tcp dport {port} " + ("reject with tcp reset" if refuse else "drop"))

    def block_dns(self) -> None:
        self.nft("add rule ip lab forward udp dport 53 drop")

    def reject(self, kind: str = "port-unreachable") -> None:
        """ICMP in place of every packet that would be forwarded, as the router's own word; not limited in number."""
        self.sysctl("net.ipv4.icmp_ratelimit", 0)
        self.sysctl("net.ipv4.icmp_msgs_per_sec", 100000)
        self.nft(f"add rule ip lab forward ip daddr 203.0.113.0/24 counter reject with icmp type {kind}")
        if "ip6" in self.families:
            self.sysctl("net.ipv6.icmp.ratelimit", 0)
            kind = {"host-unreachable": "addr-unreachable", "net-unreachable": "no-route"}.get(kind, kind)
            self.nft(f"add rule ip6 lab forward ip6 daddr fd00:cafe::/64 counter reject with icmpv6 type {kind}")

    def count_syns(self) -> None:
        """Count what opens a connection to the cloud, from now on."""
        self.nft("add rule ip lab forward ip daddr 203.0.113.0/24 tcp flags syn counter")

    def rejected(self) -> int:
        """Packets that ``reject`` met."""
        return self.counted()

    def counted(self) -> int:
        """Packets that ``reject`` or ``count_syns`` met."""
        listed = self._lab.run("ip", "netns", "exec", self.namespace, "nft", "list", "chain", "ip", "lab", "forward")
        return sum(int(number) for number in re.findall(r"counter packets (\d+)", listed))

    def capture(self, port: int, answer: str, seconds: float | None = None) -> Process:
        """A proxy or login page in the router that takes all connections to this port, wherever they go, until
        ``release``. See ``serve``."""
        to = 8000 + port % 1000
        stranger = self.serve("0.0.0.0", to, answer, seconds)
        self.nft("add table ip nat; add chain ip nat prerouting { type nat hook prerouting priority -100; }; "
                  f"add rule ip nat prerouting iif lan tcp dport {port} redirect to :{to}")
        return stranger

    def release(self) -> None:
        """Nothing is captured any more."""
        self.nft("flush chain ip nat prerouting")

    def forget(self, *ports: int) -> None:
        """The connections from these ports of the terminal, as a router does that was restarted or let its NAT entries
        expire: silence for them, both ways, while new ones pass."""
        for side in ("sport", "dport"):
            self.nft(f"add rule ip lab forward tcp {side} {{ {', '.join(map(str, ports))} }} drop")

    def lose(self, percent: int) -> None:
        """So many of a hundred packets, both ways, each by its own chance."""
        self.nft(f"add rule ip lab forward numgen random mod 100 < {percent} drop")

    def lose_large(self, size: int, towards: str = "") -> None:
        """Packets of more bytes than this, without a word to their sender; towards: one side's alone, lan or wan."""
        side = f"oifname {towards} " if towards else ""
        self.nft(f"add rule ip lab forward {side}meta length > {size} drop")

    def translate(self) -> None:
        """Addresses are translated, and what belongs to no known connection is dropped, as most routers do it."""
        self.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
        self.nft("add table ip nat; add chain ip nat postrouting { type nat hook postrouting priority 100; }; "
                 "add rule ip nat postrouting oifname wan masquerade; add rule ip lab forward ct state invalid drop")

    def restart(self) -> None:
        """Every connection that passed through is forgotten (ctnetlink, IPCTNL_MSG_CT_DELETE without a filter)."""
        self.run(sys.executable, "-c", FORGET_ALL)

    def allow(self) -> None:
        """End everything that keeps packets back."""
        for family in self.families:
            self.nft(f"flush chain {family} lab forward")

    def die(self) -> None:
        """Switched off behind a switch that is not: the cable has its carrier, nobody answers."""
        self.ip("link set wan down", "addr flush dev lan")
        self.sysctl("net.ipv4.conf.lan.arp_ignore", 8)

    def revive(self) -> None:
        self.sysctl("net.ipv4.conf.lan.arp_ignore", 0)
        self.ip(*self.addresses, "link set wan up", *self.routes)

    def plan(self, lan: str, wan: str, cloud: str) -> None:
        self.gateway = lan.partition("/")[0]
        self.addresses = (f"addr replace {lan} dev lan",)
        self.routes = (f"route replace 203.0.113.0/24 via {cloud}", f"route replace {DNS} via {cloud}")
        self.ip(f"addr add {wan} dev wan", "link set lan up", "link set wan up", *self.addresses, *self.routes)


class Lab:
    """The laboratory. A context manager: whatever happens inside, nothing stays.

    ``terminal`` ``router`` ``cloud`` are hosts; ``uplink2`` too, with ``uplinks=2``. Raises Unavailable.
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
        """IPv6 all the way over the first uplink, beside IPv4; ``drop``, ``reject`` and ``allow`` then mean both."""
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

    def _far_end(self, interface: str) -> "Router":
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
        router.plan(f"{lan}.1/24", f"{wan}.1/24", f"{wan}.2")
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
