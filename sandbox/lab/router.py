"""A router of the laboratory, and what routers do to a terminal: silence, rejects, losses, login pages, restarts."""
import re
import sys

from econduit_terminal.sandbox.lab.host import Host
from econduit_terminal.sandbox.lab.process import Process

FORGET_ALL = """
import socket, struct
NETLINK_NETFILTER, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, REQUEST, ACK = 12, 1, 2, 1, 4
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
kernel.send(struct.pack("=IHHIIBBH", 20, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, REQUEST | ACK, 1, 0,
                        socket.AF_INET, 0, 0))
error = struct.unpack_from("=i", kernel.recv(100), 16)[0]
assert error == 0, error
"""


class Router(Host):
    """Forwards between `lan` (the terminal's cable) and `wan`; nftables in its forward hook."""

    families: tuple[str, ...] = ("ip",)

    def set_up(self) -> None:
        self.sysctl("net.ipv4.ip_forward", 1)
        self.nft("table ip lab { chain forward { type filter hook forward priority 0; }; }")

    def drop(self) -> None:
        """Silent loss of the internet: links and addresses stay, nothing gets through any more."""
        for family in self.families:
            self.nft(f"add rule {family} lab forward drop")

    def stall(self, seconds: int) -> None:
        """Silent loss of the way to and from the cloud, for so long. The kernel ends it: whoever calls may sleep on."""
        self.nft("add set ip lab stalled { type ipv4_addr; flags timeout, interval; }; flush set ip lab stalled; "
                 "insert rule ip lab forward ip saddr @stalled drop; "
                 "insert rule ip lab forward ip daddr @stalled drop; "
                 f"add element ip lab stalled {{ 203.0.113.0/24 timeout {seconds}s }}")

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

    def counted(self) -> int:
        """Packets that `reject` or `count_syns` met."""
        listed = self._lab.run("ip", "netns", "exec", self.namespace, "nft", "list", "chain", "ip", "lab", "forward")
        return sum(int(number) for number in re.findall(r"counter packets (\d+)", listed))

    def capture(self, port: int, answer: str, seconds: float | None = None) -> Process:
        """A proxy or login page in the router that takes all connections to this port, wherever they go, until
        `release`. See `serve`."""
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

    def plan(self, lan: str, wan: str, cloud: str, dns: str) -> None:
        self.gateway = lan.partition("/")[0]
        self.addresses = (f"addr replace {lan} dev lan",)
        self.routes = (f"route replace 203.0.113.0/24 via {cloud}", f"route replace {dns} via {cloud}")
        self.ip(f"addr add {wan} dev wan", "link set lan up", "link set wan up", *self.addresses, *self.routes)
