"""The installed product on a virtual terminal with a real radio, and what happens to its networks.

    with Radio(radio_image.base(), packages) as radio:
        radio.online()
        began = radio.now()
        radio.lab("deauthenticate")
        word = radio.link("wlan1", after=began)         # the kernel's word
        at, status = radio.offline(after=began)

Both packages are installed by dpkg under the distribution's supervisor, with the settings as shipped but for the
cloud's name. The router, its access points, the cloud and the payment application run in the same machine
(guest/lab.sh).

Times are the machine's own, in seconds. An event counts from the kernel's word of it, since what causes it is a program
that takes its time to start; a return from the moment when the interface is up and has an address and a default route.
"""
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from radio_image import Image
from radio_machine import PATIENCE, SERIAL, Machine, Word

WIFI, CABLE = "wlan1", "eth0"
CLOUD = "203.0.113.10"
SETTLED = 1.5
"""Seconds online until the terminal is believed to stay so: its watchdog, slow here, may still have news to tell."""
HELD = "8.88"
"""The amount that the sandbox's payment application works on until it is let go."""
SETTINGS = """[cloud]
primary = cloud.test:80
secondary = cloud.test:9001
"""
INSTALL = """set -e
mkdir -p /etc/econduit-terminal/conf.d
echo '{settings}' >/etc/econduit-terminal/conf.d/10-lab.ini
dpkg -i {packages}
"""
LOGS = "tail -n 60 /var/log/supervisor/*.log; ip addr; ip route; ip neigh; tail -n 20 /run/router/*.log"

Seen = tuple[float, Word]
"""(the machine's moment, the status)"""


class Radio:
    """A context manager: the machine, once the terminal is online over Wi-Fi."""

    def __init__(self, image: Image, packages: list[Path]) -> None:
        self.machine = Machine(image, packages)
        self.sold: set[str] = set()
        """The RefIDs of every sale that was asked for."""
        self._packages = [f"/run/lab/{package.name}" for package in packages]

    def __enter__(self) -> "Radio":
        self.machine.__enter__()
        try:
            network = self.machine.begin(run=["/run/lab/lab.sh", "network"], limit=240)
            self.run("bash", "-c", INSTALL.format(settings=SETTINGS, packages=" ".join(self._packages)), timeout=240)
            assert (done := network())["status"] == 0, done
            self.start_cloud()
            self.settled(timeout=120)
        except BaseException:
            self.machine.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.machine.close()

    # -- what is done --------------------------------------------------------------------------------------------------

    def run(self, *command: str, check: bool = True, timeout: float = PATIENCE) -> Word:
        """A program to its end: `status`, `output`. Raises AssertionError where it fails."""
        done = self.machine.ask(timeout + 10, run=list(command), limit=timeout)
        if check:
            assert done["status"] == 0, f"{' '.join(command)}: {done['status']}\n{done['output']}"
        return done

    def lab(self, function: str, *arguments: str) -> None:
        """A function of lab.sh."""
        self.run("/run/lab/lab.sh", function, *arguments)

    def restore(self) -> None:
        """Whatever was done: Wi-Fi, its router and its internet are there, the cable is out, the terminal is online."""
        self.machine.cable(False)
        began = self.now()
        self.machine.ask(hold=False)
        self.lab("restore")
        gone = self.lost(WIFI, began)
        self._kernel(f"{WIFI} is up", lambda word: word["heard"] == "link" and word["interface"] == WIFI
                     and word["state"] == "up", gone)
        self.settled(gone, interface=WIFI)

    def use_dhclient(self) -> None:
        """Instead of systemd-networkd, until the next boot: it leaves addresses and routes where they are when a link
        is gone."""
        self.machine.cable(True)        # at a cable that comes later it would not look
        began = self.now()
        self.lab("dhclient")
        for interface in (WIFI, CABLE):
            self.usable(interface, began)
        self.settled(began)

    def reboot(self) -> None:
        """The whole machine; until its programs run again, before there is any network."""
        self.machine.reboot()

    def start_cloud(self) -> None:
        """The sandbox's cloud and the payment application; also after a boot."""
        began = self.now()
        self.machine.ask(name="cloud", start=[
            "ip", "netns", "exec", "cloud", "econduit-sandbox", "cloud", "--host", CLOUD, "--primary-port", "80",
            "--secondary-port", "9001", "--http-port", "9080"])
        self.machine.ask(name="application", start=[
            "econduit-sandbox", "payment-app", "--ledger", "/var/lib/ledger", "--hold", "/run/hold", "--announce"])
        for name in ("cloud", "application"):
            self.line(name, "9080" if name == "cloud" else "9100", after=began, timeout=120)

    def now(self) -> float:
        """The machine's moment."""
        return self.machine.now()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The cloud's HTTP side."""
        return self.machine.ask(call=method, path=path, body=body)["answer"]

    # -- what is seen --------------------------------------------------------------------------------------------------

    def until(self, wanted: Callable[[Word], bool], after: float = 0.0, timeout: float = PATIENCE) -> Seen:
        """The first status at that moment or later that is wanted. Raises AssertionError with the logs."""
        word = self.machine.hear(lambda word: word["heard"] == "status" and wanted(word["status"]), after, timeout)
        assert word is not None, f"not within {timeout:g} s after {after}\n{self.story()}"
        return word["at"], word["status"]

    def online(self, after: float = 0.0, timeout: float = PATIENCE, interface: str | None = None) -> Seen:
        """POS Online, over this interface if one is given."""
        return self.until(lambda status: status["display"] == "POS Online"
                          and interface in (None, status["interface"]), after, timeout)

    def settled(self, after: float = 0.0, timeout: float = PATIENCE, interface: str | None = None) -> None:
        """POS Online, over this interface if one is given, by one connection for SETTLED seconds: what the display said
        before it knew of a loss is not taken for what it says after it."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"not settled within {timeout:g} s\n{self.story()}"
            at, status = self.online(after, left, interface)
            other = self.machine.hear(partial(_not_online_by, status["connects"]), at, SETTLED)
            if other is None:
                return
            after = other["at"]

    def offline(self, after: float, reason: str | None = None, timeout: float = PATIENCE) -> Seen:
        """POS Offline, for this reason if one is given."""
        return self.until(lambda status: status["display"] == "POS Offline" and reason in (None, status["reason"]),
                          after, timeout)

    def story(self) -> str:
        """What explains a failure: the last statuses, what the cloud saw, the logs, the networks."""
        shown = [(word["at"], word["status"]["display"], word["status"]["reason"], word["status"]["interface"])
                 for word in self.machine.heard if word["heard"] == "status"]
        cloud = [word["text"] for word in self.machine.heard if word["heard"] == "line" and word["name"] == "cloud"]
        logs = self.run("bash", "-c", LOGS, check=False)["output"]
        return "\n".join(["the last statuses:", *map(str, shown[-20:]), "the cloud:", *cloud[-20:], logs])

    def latest(self) -> Seen:
        """The last status, and when it was told."""
        return [(word["at"], word["status"]) for word in self.machine.heard if word["heard"] == "status"][-1]

    def lost(self, interface: str, after: float) -> float:
        """When the kernel said that an interface has no link any more."""
        return self._kernel(f"{interface} loses its link", lambda word: word["heard"] == "link"
                            and word["interface"] == interface and word["state"] not in ("up", "unknown"), after)

    def usable(self, interface: str, after: float) -> float:
        """When the kernel said that it has a default route, which comes last: after the link and the address."""
        return self._kernel(f"{interface} has a default route", lambda word: word["heard"] == "default route"
                            and word["interface"] == interface and word["there"], after)

    def without_address(self, interface: str, after: float) -> float:
        """When the kernel said that it holds an address no longer."""
        return self._kernel(f"{interface} loses its address", lambda word: word["heard"] == "address"
                            and word["interface"] == interface and not word["there"], after)

    def line(self, name: str, part: str, after: float = 0.0, timeout: float = PATIENCE) -> str:
        """The first line with this in it, of what was started."""
        word = self.machine.hear(lambda word: word["heard"] == "line" and word["name"] == name and part in word["text"],
                                 after, timeout)
        if word is None:
            lines = [one["text"] for one in self.machine.heard if one["heard"] == "line" and one["name"] == name]
            raise AssertionError("\n".join([f"no line with {part!r} within {timeout:g} s, but:", *lines[-40:],
                                            self.story()]))
        return str(word["text"])

    def _kernel(self, what: str, wanted: Callable[[Word], bool], after: float) -> float:
        word = self.machine.hear(wanted, after)
        if word is None:
            told = [word for word in self.machine.heard if word["at"] >= after and word["heard"] != "line"]
            raise AssertionError(f"the kernel did not say that {what}, but:\n"
                                 + "\n".join(json.dumps(word)[:200] for word in told[-40:]))
        return float(word["at"])

    # -- transactions --------------------------------------------------------------------------------------------------

    def sale(self, ref: str, amount: str = "2.50") -> Callable[..., Word]:
        """The POS's call; the returned function waits for its answer."""
        self.sold.add(ref)
        answer = self.machine.begin(call="GET", body=None, path=(
            "/services/api.asmx/runTransaction?" + urlencode({
                "command": "sale", "key": "sandbox", "password": "sandbox", "amount": amount, "refID": ref,
                "terminalId": SERIAL, "wait": 100})))

        def said(timeout: float = PATIENCE) -> Word:
            found: Word = answer(timeout)["answer"]
            return found

        return said

    @contextmanager
    def sale_in_progress(self, ref: str) -> Iterator[None]:
        """Inside, the customer has the card in the reader; then the application answers, and the POS has the approval,
        of the one time that the sale was run."""
        self.machine.ask(hold=True)
        began = self.now()
        answer = self.sale(ref, HELD)
        try:
            self.line("application", f'"{ref}"', after=began)
            yield
        finally:
            self.machine.ask(hold=False)
        said = answer()
        assert said["ResultCode"] == "Approved" and said["RefID"] == ref, said
        assert self.runs().count(ref) == 1

    def runs(self) -> list[str]:
        """The RefIDs of everything that the payment application ran, oldest first."""
        ledger = self.run("cat", "/var/lib/ledger", check=False)["output"]
        return [json.loads(line)["RefID"] for line in ledger.splitlines() if line.startswith("{")]


def _not_online_by(connection: int, word: Word) -> bool:
    """A status that is not POS Online by this connection (counted from 1)."""
    return word["heard"] == "status" and not (word["status"]["online"] and word["status"]["connects"] == connection)
