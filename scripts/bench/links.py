"""Rows about the line: cable, silence, a router that forgets, another uplink, and a line that is only bad."""
import random
import statistics
import threading
import time

from bench.session import SETTLE, STEADY, Session
from bench.subjects import BARE, PRODUCT, Cloud, Subject, bare_client, ports, wait
from bench.table import Reach, progress, seconds

from econduit_terminal.conf.values import show_duration
from econduit_terminal.sandbox.lab.netlab import Lab

CABLE_OUT, SILENCE = 5.0, 30.0
LOSS = 3
STALL = 1.0
TERMINALS = 3
"""In each of the bad lines' laboratories."""


def cable(session: Session) -> None:
    """cable out for 5 s: noticed, and registered again after the kernel says that it is back"""
    with Lab() as lab:
        Cloud(lab, session.folder())
        all_of_them = session.everybody(lab)
        carrier: list[tuple[float, float | None]] = []

        def said(word: str, after: float) -> float | None:
            wait(lambda: all_of_them[BARE].first(word, after), 3)
            return all_of_them[BARE].first(word, after)

        def out() -> None:
            began = time.monotonic()
            lab.cable_out()
            carrier.append((began, said("carrier-lost", began)))

        def back() -> float:
            began = time.monotonic()
            lab.cable_in()
            return said("carrier-back", began) or began     # the kernel's own word for it

        noticed, recovered = session.losses("cable", 10, all_of_them, out, back, lambda: CABLE_OUT)
    kernel = [None if at is None else at - began for began, at in carrier]
    session.table.times("cable out: netlink says so", "kernel", kernel)
    after = [None if t is None or k is None else t - k for t, k in zip(noticed[PRODUCT], kernel, strict=True)]
    session.table.times("cable out: noticed after netlink", PRODUCT, after, Reach(worst=0.05))
    for name in all_of_them:
        if name != PRODUCT:
            session.table.times("cable out: noticed", name, noticed[name])
    reach = 1.5 * statistics.median(float("inf") if t is None else t for t in recovered[BARE]) + 0.02
    for name in all_of_them:
        session.table.times("cable in: registered after netlink", name, recovered[name],
                            Reach(median=reach) if name == PRODUCT else None)


def silent(session: Session) -> None:
    """the internet is silently away for 30 s: noticed, and registered again after it is back"""
    with Lab() as lab:
        Cloud(lab, session.folder())
        all_of_them = session.everybody(lab)

        def back() -> float:
            lab.router.allow()
            return time.monotonic()

        noticed, recovered = session.losses("silent", 10, all_of_them, lab.router.drop, back, lambda: SILENCE)
    for name in all_of_them:
        session.table.times(f"silent internet for {SILENCE:.0f} s: noticed", name, noticed[name],
                            Reach(median=3.0, worst=4.3) if name == PRODUCT else None)
    for name in all_of_them:
        session.table.times("silent internet back: registered", name, recovered[name],
                            Reach(median=0.5) if name == PRODUCT else None)


def forget(session: Session) -> None:
    """the router forgets the connection, the line is fine: registered again"""
    product: list[float | None] = []
    bare: list[float | None] = []
    with Lab() as lab:
        cloud = Cloud(lab)
        pair: dict[str, Subject] = {PRODUCT: session.product(lab, more=STEADY).start(), BARE: bare_client(lab)}
        for _ in session.rounds("forget", 20):
            session.settle(pair)
            lab.router.allow()
            began = time.monotonic()
            lab.router.forget(*ports(lab.terminal))
            for samples, at in zip((product, bare), cloud.registered(("29531204", "bare"), began, 20), strict=True):
                samples.append(None if at is None else at - began)
    session.table.times("router forgets the connection: registered again", PRODUCT, product,
                        Reach(median=2.5, worst=3.5))
    session.table.times("router forgets the connection: registered again", BARE, bare)


def wifi(session: Session) -> None:
    """Ethernet dead, its default route still there, a second uplink usable: registered over that one"""
    took: list[float | None] = []
    bare: list[float | None] = []
    with Lab(uplinks=2) as lab:
        Cloud(lab)
        product, peer = session.product(lab).start(), bare_client(lab)
        for _ in session.rounds("wifi", 10):
            product.terminal.until(lambda status: status["online"] and status["interface"] == "eth0", 30)
            wait(peer.online, 30)
            time.sleep(SETTLE + random.random())
            began = time.monotonic()
            lab.cable_out("eth0")       # its default route stays, with the better metric
            at, _ = product.terminal.until(lambda status: status["online"] and status["interface"] == "eth1", 10, began)
            took.append(at - began)
            time.sleep(1)
            again = peer.first("online", began)
            bare.append(None if again is None else again - began)
            lab.cable_in("eth0")
            product.terminal.client.reconnect("next round")
    session.table.times("Ethernet dead, second uplink usable: registered", PRODUCT, took, Reach(worst=0.3))
    session.table.times("Ethernet dead, second uplink usable: registered", BARE, bare)


def alarms(session: Session) -> None:
    """a line that loses 3 % of its packets, and one that stalls for 1 s now and then: connections lost for nothing"""
    length = session.options.false_alarms
    found: dict[str, tuple[int, int]] = {}
    lines = [threading.Thread(target=_watch_bad_line, args=(session, name, length, found))
             for name in (f"line that loses {LOSS} % of its packets", f"stalls of {STALL:.0f} s")]
    progress(f"alarms: both bad lines for {show_duration(length)}, at one time")
    for line in lines:
        line.start()
    for line in lines:
        line.join()
    for name, (product, bare) in sorted(found.items()):
        what = f"{name}, {show_duration(length)} × {TERMINALS} terminals: connections lost"
        session.table.figure(what, PRODUCT, product, "", 0)
        session.table.figure(what.replace(f" × {TERMINALS} terminals", ""), BARE, bare, "")
    if len(found) < len(lines):
        raise SystemExit("a bad line could not be watched: see above")


def _watch_bad_line(session: Session, name: str, length: float, found: dict[str, tuple[int, int]]) -> None:
    with Lab() as lab:
        Cloud(lab)
        products = [session.product(lab, id=f"T{number}").start() for number in range(TERMINALS)]
        bare = bare_client(lab)
        session.settle({**{product.id: product for product in products}, BARE: bare})
        before = [product.last()["connects"] for product in products]
        began = time.monotonic()
        if "stalls" in name:
            while time.monotonic() < began + length:
                time.sleep(random.uniform(3, 7))
                lab.router.drop()
                time.sleep(STALL)
                lab.router.allow()
        else:
            lab.router.lose(LOSS)
            time.sleep(length)
            lab.router.allow()
        time.sleep(6)       # what the last of it did
        # A connection may be replaced by another without POS Offline in between; it was lost all the same.
        lost = sum(product.last()["connects"] - connects + (not product.online())
                   for product, connects in zip(products, before, strict=True))
        ended = [at for at, word in bare.entries() if word == "offline" and at >= began]
        progress(f"{name}: {lost} of the product's, {len(ended)} of the bare client's "
                 f"({', '.join(seconds(at - began) for at in ended[:5])})")
        found[name] = lost, len(ended)
