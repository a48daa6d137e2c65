"""What the watchdog needs of the settings, and nothing that would stay in its memory for being able to read them.

The INI reader, its error messages and the command line weigh more than the watchdog itself. So ``run`` reads the
settings and then replaces itself, same pid, by the process that watches; the orders go from one to the other as
JSON in a file without a name.
"""
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from econduit_terminal.conf.values import Endpoint

if TYPE_CHECKING:
    from econduit_terminal.conf.settings import Settings


class Orders(NamedTuple):
    """Durations in seconds; the meaning of each is that of the setting with its name."""

    socket: str
    log_level: str
    endpoints: tuple[Endpoint, ...]
    reference_hosts: tuple[Endpoint, ...]
    interfaces: tuple[str, ...]
    coalesce: float
    poll: float
    probe_interval: float
    probe_timeout: float
    health_interval: float
    health_timeout: float
    report_interval: float
    status_file: str | None = None


def of(settings: "Settings") -> Orders:
    """From conf.settings.Settings; the endpoints in the order of preference."""
    cloud = settings.cloud
    return Orders(
        socket=str(settings.local.socket),
        log_level=settings.local.log_level,
        endpoints=tuple(filter(None, (cloud.primary, cloud.secondary))),
        status_file=settings.local.status_file,
        **vars(settings.watchdog),
    )


def hand_over(orders: Orders) -> int:
    """A file descriptor, inherited by what is executed next, from which ``take_over`` reads the orders."""
    file = os.memfd_create("orders", 0)
    os.write(file, json.dumps(orders._asdict()).encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file


def take_over(file: int) -> Orders:
    with open(file) as stream:
        given = json.load(stream)
    for key in ("endpoints", "reference_hosts"):
        given[key] = tuple(Endpoint(*endpoint) for endpoint in given[key])
    given["interfaces"] = tuple(given["interfaces"])
    return Orders(**given)
