"""Rows about the programs themselves: an agent that hangs, and what a quiet minute costs."""
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from bench.costs import cpu_seconds, pss
from bench.session import SETTLE, Session
from bench.subjects import BARE, PRODUCT, Cloud, Product, bare_client, ports, wait
from bench.table import Reach, progress

from econduit_terminal.sandbox.lab.netlab import Lab
from econduit_terminal.sandbox.lab.process import Process

HUNG = 60.0
"""Seconds that a hung agent gets to be shown, and to be back."""
SUPERVISORD = """[supervisord]
nodaemon=true
childlogdir={folder}
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[include]
files={product}
"""


class Supervised:
    """The product under supervisord, with its own supervisor.conf, in the laboratory's terminal."""

    def __init__(self, lab: Lab, product: Product, python: str):
        self.folder = product.terminal.folder
        conf = subprocess.run([python, "-c", "from econduit_terminal.conf import settings; print(settings.__file__)"],
                              capture_output=True, text=True, check=True).stdout.strip()
        (self.folder / "supervisord.conf").write_text(
            SUPERVISORD.format(folder=self.folder, product=Path(conf).parent / "supervisor.conf"))
        environment = {**os.environ, "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
                       "ECONDUIT_CONFIG_DIR": str(product.terminal.config)}
        self.process: Process = lab.terminal.start(python, "-m", "supervisor.supervisord", "-n", "-c",
                                                   self.folder / "supervisord.conf", env=environment)

    def agent(self) -> int:
        """Its pid, by supervisord's word of what it spawned last."""
        log = (self.folder / "supervisord.log").read_text()
        return int(re.findall(r"spawned: 'agent' with pid (\d+)", log)[-1])

    def shows_offline(self) -> bool:
        """Whether the status file, which a payment application reads, says so."""
        try:
            told: dict[str, str] = json.loads((self.folder / "status.json").read_text())
        except (OSError, ValueError):
            return False
        return told["display"] == "POS Offline"


def hang(session: Session) -> None:
    """the agent hangs (SIGSTOP): the status file says POS Offline, and the terminal is registered again"""
    shown: list[float | None] = []
    back: list[float | None] = []
    with Lab() as lab:
        cloud = Cloud(lab)
        product = session.product(lab)
        began = time.monotonic()
        supervised = Supervised(lab, product, session.options.product)
        for number in session.rounds("hang", 5):
            if None in cloud.registered([product.id], began, 30):
                raise SystemExit(f"not online:\n{supervised.process.text}")
            time.sleep(2 * SETTLE + number)     # supervisord calls it RUNNING after 3 s; the questions come each 3 s
            began = time.monotonic()
            os.kill(supervised.agent(), signal.SIGSTOP)
            offline = time.monotonic() if wait(supervised.shows_offline, HUNG) else None
            again, = cloud.registered([product.id], began, HUNG)
            shown.append(None if offline is None else offline - began)
            back.append(None if again is None else again - began)
        supervised.process.end(20)
    session.table.times("agent hangs: the status file says POS Offline", PRODUCT, shown, Reach(worst=10.0))
    session.table.times("agent hangs: registered again", PRODUCT, back, Reach(worst=15.0))
    session.table.times("agent hangs: registered again", BARE, [None])


def idle(session: Session) -> None:
    """a quiet time online: packets, processor and memory"""
    length = session.options.idle
    with Lab() as lab:
        Cloud(lab)
        product = session.product(lab).start()
        session.settle({PRODUCT: product})
        mine, = ports(lab.terminal)
        peer = bare_client(lab)
        session.settle({BARE: peer})
        other, = set(ports(lab.terminal)) - {mine}
        capture = lab.terminal.start("tcpdump", "-l", "-n", "-t", "-i", "eth0", "ip or ip6")
        capture.line("listening")
        pids = {"agent": product.terminal.agent.pid, "watchdog": product.terminal.watchdog.pid}
        before, began = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
        progress(f"idle: {length:.0f} s")
        time.sleep(length)
        took = time.monotonic() - began
        used = {name: (cpu_seconds(pid) - before[name]) / took for name, pid in pids.items()}
        memory = {name: pss(pid) for name, pid in pids.items()}
        capture.end()
        packets = [line for line in capture.text.splitlines() if line.startswith(("IP ", "IP6 "))]
    by_port = {port: sum(bool(re.search(rf"\.{port}\b", line)) for line in packets) for port in (mine, other)}
    # A heartbeat takes two packets more than the probe that it replaces, and comes once a minute, give or take 10 %.
    session.table.figure("idle: packets of the connection, a minute", PRODUCT, 60 * by_port[mine] / took, "", 62)
    session.table.figure("idle: packets of the connection, a minute", f"{BARE}, no heartbeats",
                         60 * by_port[other] / took, "")
    session.table.figure("idle: other packets, a minute", PRODUCT, 60 * (len(packets) - sum(by_port.values())) / took,
                         "", shown=None)
    session.table.figure("idle: a core's time, both programs", PRODUCT, 100 * sum(used.values()), "%", 0.3)
    for name, limit in (("agent", 30), ("watchdog", 12)):
        session.table.figure(f"idle: memory of the {name} (PSS)", PRODUCT, memory[name], "MB", limit)
