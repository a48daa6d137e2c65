"""Rows about the cloud: killed and back, away for long, cutting connections, refusing."""
import json
import time
from collections.abc import Sequence

from bench.session import Session
from bench.subjects import BARE, PRODUCT, Cloud, Product, bare_client
from bench.table import Reach, progress
from lab_terminal import Terminal

from econduit_terminal.conf.values import show_duration
from econduit_terminal.sandbox.lab.host import Host
from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab
from econduit_terminal.sandbox.lab.process import Process

CLOUD_AWAY = 2.0
CUTS, CUT_EVERY = 8, 3.0
CUT_TERMINALS = 4
BARE_CLIENTS = 10
REFUSES = 45.0
REFUSED_TERMINALS = 6
LONG = 60.0
"""From here on an outage looks the same, however long: the waits reach their ceiling after some 30 s."""
WATCHDOG_GROUP = 54321
"""Under which the watchdog's packets are told from the agent's."""


def start_all(products: Sequence[Product]) -> None:
    """Starts agents and watchdogs without following their status; they are counted by the cloud."""
    for product in products:
        product.terminal.watchdog = product.terminal.run("watchdog")
        product.terminal.agent = product.terminal.run("agent")


def until_registered(cloud: Cloud, products: Sequence[Product], after: float, limit: float) -> list[float]:
    """When each registered for the first time after a moment. Raises SystemExit when not all do."""
    found = [at for at in cloud.registered([product.id for product in products], after, limit) if at is not None]
    if len(found) < len(products):
        raise SystemExit(f"{len(products) - len(found)} of {len(products)} terminals did not register in {limit:.0f} s")
    return found


def restart(session: Session) -> None:
    """the cloud's process is killed and back in 2 s: registered after it listens"""
    with Lab() as lab:
        cloud = Cloud(lab, session.folder())
        all_of_them = session.everybody(lab)
        # It listens when that time is over. The waits are random, and a median of ten of them says little.
        noticed, recovered = session.losses("restart", 30, all_of_them, cloud.kill, cloud.start,
                                            lambda: CLOUD_AWAY - cloud.startup)
    for name in all_of_them:
        session.table.times("cloud killed: noticed", name, noticed[name])
    for name in all_of_them:
        session.table.times(f"cloud back after {CLOUD_AWAY:.0f} s: registered", name, recovered[name],
                            Reach(median=1.0) if name == PRODUCT else None)


def cuts(session: Session) -> None:
    """the cloud cuts every connection 8 times, 3 s apart, and listens all the time: registered again"""
    took: dict[str, list[float | None]] = {PRODUCT: [], BARE: []}
    with Lab() as lab:
        cloud = Cloud(lab)
        products = [session.product(lab, id=f"T{number}").start() for number in range(CUT_TERMINALS)]
        session.settle({**{product.id: product for product in products}, BARE: bare_client(lab)})
        names = [product.id for product in products] + ["bare"]
        for number in range(CUTS):
            progress(f"cuts: {number + 1} of {CUTS}")
            began = time.monotonic()
            cloud.control("drop")
            time.sleep(CUT_EVERY - (time.monotonic() - began))
            for name in names:
                cut = cloud.first("closed", name, began)
                again = cloud.first("registered", name, began)
                samples = took[BARE if name == "bare" else PRODUCT]
                samples.append(None if cut is None or again is None else again - cut)
    what = f"connection cut {CUTS} times, {CUT_EVERY:.0f} s apart: registered, each"
    session.table.times(what, f"{PRODUCT}, {CUT_TERMINALS} terminals", took[PRODUCT], Reach(worst=0.4))
    session.table.times(what, BARE, took[BARE])


def outage(session: Session) -> None:
    """the cloud's host refuses for a long time, then the cloud listens: registered, of many terminals at once"""
    length, count = session.options.outage, session.options.terminals
    with Lab() as lab:
        cloud = Cloud(lab)
        products = [session.product(lab, id=f"T{number}") for number in range(count)]
        began = time.monotonic()
        start_all(products)
        bare = [f"B{number}" for number in range(BARE_CLIENTS)]
        peers = {name: bare_client(lab, name) for name in bare}
        until_registered(cloud, products, began, 60 + 2 * count)
        session.settle(peers)
        time.sleep(2 + count / 10)      # what so many starts left to do
        cloud.kill()
        progress(f"outage: {count} terminals are refused for {show_duration(length)}")
        time.sleep(length)
        listening = cloud.start()
        back = until_registered(cloud, products, listening, 75)
        bare_back = [cloud.first("registered", name, listening) for name in bare]
    what = f"cloud away for {show_duration(length)}: registered after it listens"
    if length < LONG:
        what += " (too short to tell)"
    session.table.times(what, f"{PRODUCT}, {count} terminals at once", [at - listening for at in back],
                        Reach(median=3.5, p99=10.0))
    session.table.times(what, BARE, [None if at is None else at - listening for at in bare_back])


def syns(session: Session) -> None:
    """SYNs that reach a cloud which refuses, in the first 45 s of its outage: the agent's dials, and who else's"""
    with Lab() as lab:
        cloud = Cloud(lab)
        products = [session.product(lab, id=f"T{number}") for number in range(REFUSED_TERMINALS)]
        began = time.monotonic()
        for product in products:
            product.terminal.agent = product.terminal.run("agent")
            product.terminal.watchdog = _watchdog_of_its_own_group(lab, product.terminal, session.options.product)
        until_registered(cloud, products, began, 60)
        time.sleep(10)
        _count_syns(lab.terminal)
        cloud.kill()
        progress(f"syns: {REFUSED_TERMINALS} terminals are refused for {REFUSES:.0f} s")
        time.sleep(REFUSES)
        agents, watchdogs = _counted(lab.terminal)
    per = len(products)
    what = f"SYNs that reach a refusing cloud in its first {REFUSES:.0f} s, per terminal"
    session.table.figure(what, f"{PRODUCT}: the agent's dials", agents / per, "")
    session.table.figure(what, f"{PRODUCT}: all", (agents + watchdogs) / per, "", agents / per)
    session.table.figure(what, f"{BARE}, one dial each 0.5 s", REFUSES / 0.5, "")


def _watchdog_of_its_own_group(lab: Lab, terminal: Terminal, python: str) -> Process:
    return lab.terminal.start("setpriv", "--regid", WATCHDOG_GROUP, "--clear-groups", python, "-u", "-m",
                              "econduit_terminal.watchdog", "run", "--config-dir", terminal.config)


def _count_syns(host: Host) -> None:
    """Counts in the kernel what leaves for the cloud, by the group of the process that sends it."""
    syn = f"ip daddr {CLOUD} tcp dport {{ 80, 9001 }} tcp flags & (syn | ack) == syn meta skgid"
    host.run("nft", "table ip bench {\n chain out {\n type filter hook output priority 0\n"
             f" {syn} {WATCHDOG_GROUP} counter\n {syn} != {WATCHDOG_GROUP} counter\n }}\n}}\n")


def _counted(host: Host) -> tuple[int, int]:
    """(agents', watchdogs')."""
    rules = json.loads(host.run("nft", "-j", "list", "chain", "ip", "bench", "out").stdout)["nftables"]
    watchdogs, agents = (next(part["counter"]["packets"] for part in entry["rule"]["expr"] if "counter" in part)
                         for entry in rules if "rule" in entry)
    return agents, watchdogs
