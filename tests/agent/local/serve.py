"""Serves a Board through the real Api in a process of its own, so that gevent stays out of the tests' process.

    serve.py SOCKET [OPTIONS]

OPTIONS is JSON: {"port": of the display, "status_file": path, "times": {name in server.py or statusfile.py: seconds}}.
Each line on stdin is JSON, [method of the board, arguments…], or "mistakes" (of the next reloads), "reconfigure"
(socket, port) or "hang" (a FIFO: the disk of the status file hangs until somebody reads that); each is answered by one line on stdout once done, so that a test knows when it holds. The controls print what they are
asked for.
"""
from gevent import monkey

monkey.patch_all()

import json
import os
import sys
from types import SimpleNamespace

from gevent.fileobject import FileObject

from econduit_terminal.agent.local import server, statusfile
from econduit_terminal.agent.local.api import Api
from econduit_terminal.agent.local.status import StatusStore
from econduit_terminal.agent.local.statusfile import StatusFile
from econduit_terminal.conf.settings import SettingsError
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import Phase
from econduit_terminal.process import line_file


def say(*words):
    print(json.dumps(words), flush=True)


class Controls:
    def __init__(self, board):
        self.board = board
        self.mistakes = []

    def network(self, report):
        self.board.network(report)
        say("network", report.to_json())

    def verify(self):
        say("verify")

    def reconnect(self, reason):
        if reason == "break":
            raise RuntimeError("broken on purpose")
        say("reconnect", reason)

    def reload(self):
        if self.mistakes:
            raise SettingsError(self.mistakes)
        return ["heartbeat.interval"]


def local(path, port):
    return SimpleNamespace(socket=path, display=None if port is None else Endpoint("127.0.0.1", port))


def hang(fifo):
    really = line_file.replace

    def replace(*arguments):
        os.close(os.open(fifo, os.O_WRONLY))
        really(*arguments)
    line_file.replace = replace


def typed(argument):
    """A report comes as an object, a phase by its name."""
    if isinstance(argument, dict):
        return NetworkReport.from_json(argument)
    return next((phase for phase in Phase if phase.value == argument), argument)


def main(path, port=None, status_file=None, times={}):
    for module in (server, statusfile):
        vars(module).update(times)
    board = StatusStore("29531204")
    controls = Controls(board)
    api = Api(local(path, port), board, controls)
    api.start()
    file = StatusFile(status_file, board)
    file.start()
    say("ready")
    for line in FileObject(sys.stdin.buffer, "rb"):
        name, *arguments = json.loads(line)
        if name == "mistakes":
            controls.mistakes = arguments
        elif name == "hang":
            hang(*arguments)
        elif name == "reconfigure":
            api.reconfigure(local(*arguments))
        else:
            getattr(board, name)(*map(typed, arguments))
        say("done")
    api.stop()
    file.stop()


main(sys.argv[1], **json.loads(*sys.argv[2:] or ["{}"]))
