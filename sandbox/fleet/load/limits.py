"""What limits a load on this machine: open files and source ports. PURE.

Rules

- A terminal has one open file (a second one for a moment, while it dials), and so has each point of sale.
- A TCP connection is told from another by source address and port, destination address and port (tcp(7)): one source
  address has as many ports as ip_local_port_range holds, towards each endpoint. A tenth is left to connections that
  ended, which keep their ports for a minute.
- Towards 127.0.0.0/8 every address of it may be the source: as many as are needed are taken.
"""
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass

OWN_FILES = 100
FILES_EACH = 1.02
"""Open files for each terminal: few of them dial two endpoints at one time."""
PORTS_IN_USE = 0.9
FIRST_LOOPBACK = int(ipaddress.ip_address("127.0.1.1"))


@dataclass(frozen=True)
class Machine:
    """files: open files that one process may have; file_remedy: how to raise that. ports: of ip_local_port_range."""
    files: int
    ports: int
    file_remedy: str


@dataclass(frozen=True)
class Demand:
    """On one machine: terminals and points of sale, in so many processes. targets: the endpoints' addresses. sources:
    the local addresses that were given."""
    terminals: int
    pos: int
    processes: int
    targets: Sequence[str]
    sources: Sequence[str] = ()


def files_needed(demand: Demand) -> int:
    """Open files of the fullest process."""
    each = math.ceil(demand.terminals / demand.processes)
    return math.ceil(each * FILES_EACH) + math.ceil(demand.pos / demand.processes) + OWN_FILES


def sources(demand: Demand, machine: Machine) -> tuple[str, ...]:
    """The local addresses to dial from; none: the system chooses its one."""
    if demand.sources or not all(ipaddress.ip_address(target).is_loopback for target in demand.targets):
        return tuple(demand.sources)
    if any(ipaddress.ip_address(target).version != 4 for target in demand.targets):
        return ()
    needed = math.ceil(demand.terminals / (machine.ports * PORTS_IN_USE))
    return tuple(str(ipaddress.ip_address(FIRST_LOOPBACK + number)) for number in range(needed)) if needed > 1 else ()


def lacks(demand: Demand, machine: Machine) -> list[str]:
    """What this machine cannot do, a sentence each with its remedy; empty when it can do all of it."""
    found = []
    needed = files_needed(demand)
    if needed > machine.files:
        most = int((machine.files - OWN_FILES - demand.pos / demand.processes) / FILES_EACH)
        processes = math.ceil(demand.terminals / most) if most > 0 else 0
        where = _times(demand.processes, "process", "processes")
        found.append(f"open files: {demand.terminals:,} terminals in {where} need {needed:,} in each, and the limit is "
                     f"{machine.files:,}: "
                     + (f"use --processes {processes}, or " if processes > 1 else "") + machine.file_remedy)
    addresses = max(1, len(sources(demand, machine)))
    room = int(addresses * machine.ports * PORTS_IN_USE)
    if demand.terminals > room:
        more = math.ceil(demand.terminals / (machine.ports * PORTS_IN_USE))
        found.append(f"source ports: {_times(addresses, 'local address', 'local addresses')} with {machine.ports:,} "
                     f"ports carry {room:,} connections to an endpoint, not {demand.terminals:,}: give {more} "
                     "addresses of this machine with --source, widen net.ipv4.ip_local_port_range, or use workers on "
                     "other machines")
    return found


def _times(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
