"""What the watchdog needs of the settings, and nothing that would stay in its memory for being able to read them.

The INI reader, its error messages and the command line weigh more than the watchdog itself. So ``run`` reads the
settings and then replaces itself, same pid, by the process that watches; the orders go from one to the other as
JSON in a file without a name.
"""
import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from econduit_terminal.watchdog.addresses import Target

if TYPE_CHECKING:
    from econduit_terminal.conf.settings import Settings
    from econduit_terminal.conf.values import Endpoint


class Orders(NamedTuple):
    """Durations in seconds; the meaning of each is that of the setting with its name."""

    socket: str
    log_level: str
    endpoints: tuple[Target, ...]
    reference_hosts: tuple[Target, ...]
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
    watch, cloud = settings.watchdog, settings.cloud
    return Orders(
        socket=str(settings.local.socket),
        log_level=settings.local.log_level,
        endpoints=_targets(endpoint for endpoint in (cloud.primary, cloud.secondary) if endpoint),
        reference_hosts=_targets(watch.reference_hosts),
        status_file=settings.local.status_file,
        **{key: getattr(watch, key) for key in Orders._fields[4:-1]},
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
        given[key] = tuple(Target(*target) for target in given[key])
    given["interfaces"] = tuple(given["interfaces"])
    return Orders(**given)


def _targets(endpoints: "Iterable[Endpoint]") -> tuple[Target, ...]:
    return tuple(Target(str(endpoint), endpoint.host, endpoint.port) for endpoint in endpoints)
