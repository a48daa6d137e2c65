"""`status`, `watch` and `reconnect`: questions and requests to the agent that runs."""
import json
import os
import sys
import time
from argparse import Namespace
from datetime import UTC, datetime

from econduit_terminal.contract.client import AgentError, Client, NotAllowed, NotRunning

from . import show
from .settings import socket_path

ONLINE, OFFLINE, NO_ANSWER = 0, 1, 4
RETRY = 1.0
"""Seconds until the events are asked for again."""


def status(options: Namespace) -> int:
    """Prints the status. Returns ONLINE, OFFLINE or NO_ANSWER."""
    try:
        now = Client(socket_path(options)).status()
    except AgentError as error:
        return _no_answer(error)
    print(json.dumps(now.to_json()) if options.json else show.full(now, _now(), _colour()))
    return ONLINE if now.online else OFFLINE


def watch(options: Namespace) -> int:
    """A line for every change a person would notice; continues when the agent restarts."""
    client = Client(socket_path(options))
    said = None
    try:
        while True:
            try:
                for state in client.events():
                    said = _say(show.line(state, _now(), _colour()), said)
                said = _say(f"{show.clock(_now())}  the agent ended the events; waiting for it", said)
            except NotAllowed as error:
                return _no_answer(error)
            except AgentError as error:
                said = _say(f"{show.clock(_now())}  {error}; waiting for it", said)
            time.sleep(RETRY)
    except KeyboardInterrupt:
        return 0


def reconnect(options: Namespace) -> int:
    """Asks the agent to dial again, and says what it will do. Returns 0 or NO_ANSWER."""
    try:
        client = Client(socket_path(options))
        before = client.status()
        client.reconnect(options.reason)
    except AgentError as error:
        return _no_answer(error)
    if before.online:
        does = f"the agent leaves {before.endpoint} as soon as no transaction runs, and dials again"
    else:
        does = f"the agent dials now (it was offline: {before.reason})"
    print(f"{does}; econduit-agent watch shows how it goes")
    return 0


def _say(text: str, said: str | None) -> str:
    """Prints what differs from the last line in more than its time; returns what the next one is compared with."""
    meaning = text.partition("  ")[2]
    if meaning != said:
        print(text, flush=True)
    return meaning


def _no_answer(error: AgentError) -> int:
    hint = "" if not isinstance(error, NotRunning) else "; start it with: supervisorctl start econduit:agent"
    print(f"{error}{hint}", file=sys.stderr)
    return NO_ANSWER


def _now() -> datetime:
    return datetime.now(UTC)


def _colour() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
