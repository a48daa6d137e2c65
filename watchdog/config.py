"""What the watchdog needs of the settings, and nothing that would stay in its memory for being able to read them.

The INI reader, its error messages and the command line weigh more than the watchdog itself. So `run` reads the settings
and then replaces itself, same pid, by the process that watches; what that needs goes along as JSON in a file without a
name.
"""
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from econduit_terminal.conf.values import Endpoint

if TYPE_CHECKING:
    from econduit_terminal.conf.settings import Settings


class WatchdogConfig(NamedTuple):
    """Durations in seconds; each means what the setting with its name does. `endpoints`: the primary first."""

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

    @classmethod
    def of(cls, settings: "Settings") -> "WatchdogConfig":
        local = settings.local
        return cls(socket=local.socket, log_level=local.log_level, status_file=local.status_file,
                   endpoints=settings.cloud.endpoints, **vars(settings.watchdog))

    def hand_over(self) -> int:
        """A file descriptor, inherited by what is executed next, for its `take_over`."""
        file = os.memfd_create("watchdog settings", 0)
        os.write(file, json.dumps(self._asdict()).encode())
        os.lseek(file, 0, os.SEEK_SET)
        return file

    @classmethod
    def take_over(cls, file: int) -> "WatchdogConfig":
        """What `hand_over` wrote; closes the file."""
        with open(file) as stream:
            given = json.load(stream)
        for key in ("endpoints", "reference_hosts"):
            given[key] = tuple(Endpoint(*endpoint) for endpoint in given[key])
        return cls(**{**given, "interfaces": tuple(given["interfaces"])})
