"""Serves a StatusStore through the real Api in a process of its own, so that gevent stays out of the tests' process.

    status_server.py SOCKET [OPTIONS]

OPTIONS is JSON: {"port": of the display, "status_file": path, "times": {name in api/server.py or status_file.py:
seconds}}. Each line on stdin is JSON, [method of the store, arguments…], or "mistakes" (of the next reloads),
"reconfigure" (socket, port) or "hang" (a FIFO: the disk of the status file hangs until somebody reads that); each is
answered by one line on stdout once done, so that a test knows when it holds. The controls print what they are asked
for.
"""
from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gevent.fileobject import FileObject

from econduit_terminal.agent.api import server
from econduit_terminal.agent.api.api import Api
from econduit_terminal.agent.status import status_file as status_files
from econduit_terminal.agent.status.status_file import StatusFile
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.conf.schema import Local
from econduit_terminal.conf.settings import SettingsError, load
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import Phase
from econduit_terminal.process import line_file


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


class Controls:
    """What the local API controls, printed."""

    def __init__(self, store: StatusStore):
        self.store = store
        self.mistakes: list[str] = []

    def network(self, report: NetworkReport) -> None:
        self.store.network(report)
        say("network", report.to_json())

    def verify(self) -> None:
        say("verify")

    def reconnect(self, reason: str) -> None:
        if reason == "break":
            raise RuntimeError("broken on purpose")
        say("reconnect", reason)

    def reload(self) -> list[str]:
        if self.mistakes:
            raise SettingsError(self.mistakes)
        return ["heartbeat.interval"]


def local(path: str, port: int | None) -> Local:
    return replace(load(None).local, socket=path, display=None if port is None else Endpoint("127.0.0.1", port))


def hang(fifo: str) -> None:
    """The next line of the status file is not written before somebody reads `fifo`."""
    really = line_file.replace

    def slow(*arguments: Any) -> None:
        os.close(os.open(fifo, os.O_WRONLY))
        really(*arguments)
    vars(line_file)["replace"] = slow


def typed(method: str, argument: Any) -> Any:
    """A report comes as an object, a phase by its name."""
    if isinstance(argument, dict):
        return NetworkReport.from_json(argument)
    return Phase(argument) if method == "phase" and isinstance(argument, str) else argument


def main(path: str, port: int | None = None, status_file: str | None = None,
         times: Mapping[str, float] | None = None) -> None:
    for module in (server, status_files):
        vars(module).update(times or {})
    store = StatusStore("29531204")
    controls = Controls(store)
    api = Api(local(path, port), store, controls)
    api.start()
    file = StatusFile(status_file, store)
    file.start()
    say("ready")
    for line in FileObject(sys.stdin.fileno(), "rb", closefd=False):
        name, *arguments = json.loads(line)
        if name == "mistakes":
            controls.mistakes = arguments
        elif name == "hang":
            hang(*arguments)
        elif name == "reconfigure":
            api.reconfigure(local(*arguments))
        else:
            getattr(store, name)(*(typed(name, argument) for argument in arguments))
        say("done")
    api.stop()
    file.stop()


if __name__ == "__main__":
    main(sys.argv[1], **json.loads(*sys.argv[2:] or ["{}"]))
