"""What Locust runs: users that are terminals, users that are points of sale, and the course of the load as its shape.

Read by Locust as a program of its own (`locust -f`), patched by gevent like everything in it; `run` starts it. The
plan comes by the environment, and to workers with Locust's own options from the master. Each process keeps its
terminals in `HERE`; what happens to them goes to the master with Locust's reports.
"""
import json
import logging
import os
import random
import time
import urllib.parse
import uuid
from collections.abc import Callable
from typing import Any

import gevent
from locust import FastHttpUser, LoadTestShape, User, events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from econduit_terminal.conf.settings import SettingsError
from econduit_terminal.sandbox.fleet.load import director, plan as plans
from econduit_terminal.sandbox.fleet.load.here import Here
from econduit_terminal.sandbox.fleet.load.terminal import Terminal

log = logging.getLogger("econduit-fleet")
PLAN = "econduit_fleet_plan"
CHANGES = "econduit_fleet_changes"
CUT = "econduit_fleet_cut"
CANNOT = 2
NOBODY_IDLE = 0.2
"""Seconds until a point of sale looks again for a terminal that is free."""

HERE = Here()
DIRECTOR = director.Director(HERE)


class TerminalUser(User):
    """One terminal."""

    @task
    def live(self) -> None:
        """For as long as Locust lets it."""
        number, terminal = HERE.enter(self.environment.events.request.fire, self.environment.runner)
        try:
            terminal.run()
        finally:
            HERE.leave(number)


class PointOfSale(FastHttpUser):
    """Sells on a terminal of this process that is free, through the cloud's public call."""

    host = "http://127.0.0.1"

    def wait_time(self) -> float:
        """Seconds until the next sale: at random, so that points of sale do not sell in step."""
        return random.expovariate(1 / HERE.pause)

    @task
    def sell(self) -> None:
        """One sale."""
        terminal = HERE.free_terminal()
        if terminal is None:
            gevent.sleep(NOBODY_IDLE)
            return
        try:
            self._sell(terminal)
        finally:
            HERE.release(terminal)

    def _sell(self, terminal: Terminal) -> None:
        ref = str(uuid.uuid4())
        query = {"command": "sale", "key": HERE.plan.key, "password": HERE.plan.password, "amount": "2.50",
                 "refID": ref, "terminalId": terminal.id}
        path = f"{HERE.plan.url}/services/api.asmx/runTransaction?{urllib.parse.urlencode(query)}"
        with self.client.get(path, name="runTransaction Sale", catch_response=True) as response:
            answer = _fields(response.text or "")
            if answer.get("ResultCode") == "Approved" and answer.get("RefID") == ref:
                response.success()
            else:
                response.failure(answer.get("Message") or f"HTTP {response.status_code}: {response.error or 'empty'}")


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Course(LoadTestShape):
    """The load's course: see `course`."""

    def tick(self) -> tuple[int, float] | None:
        """Once a second: how many users there are to be; None at the end."""
        return DIRECTOR.tick(time.monotonic())


def _prepare(environment: Environment, **_: Any) -> None:
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        runner.register_message(CUT, lambda environment, msg, **_: HERE.cut())
        return
    plan = plans.read(os.environ[plans.VARIABLE])
    vars(environment.parsed_options)[PLAN] = plan.to_text()
    if not plan.points_of_sale:
        environment.user_classes = [TerminalUser]
    PointOfSale.fixed_count = plan.points_of_sale

    def cut() -> None:
        if isinstance(runner, MasterRunner):
            runner.send_message(CUT)
        else:
            HERE.cut()
    DIRECTOR.take(plan, cut)


def _start(environment: Environment, **_: Any) -> None:
    if isinstance(environment.runner, MasterRunner):
        DIRECTOR.start(time.monotonic())
        return
    try:
        HERE.start(plans.read(vars(environment.parsed_options)[PLAN]))
    except (OSError, ValueError, KeyError, SettingsError) as error:
        log.error("this process cannot take part: %s", error)
        environment.process_exit_code = CANNOT
        if environment.runner is not None:
            environment.runner.quit()
        return
    if not isinstance(environment.runner, WorkerRunner):
        DIRECTOR.start(time.monotonic())


def _report(client_id: str, data: dict[str, Any], **_: Any) -> None:
    data[CHANGES] = HERE.take_changes()


def _hear(client_id: str, data: dict[str, Any], **_: Any) -> None:
    DIRECTOR.note((str(terminal), float(when), online) for terminal, when, online in data.get(CHANGES, ()))


def _end(environment: Environment, **_: Any) -> None:
    if not isinstance(environment.runner, WorkerRunner):
        status = DIRECTOR.end()
        environment.process_exit_code = environment.process_exit_code or status


HOOKS: dict[Any, Callable[..., None]] = {
    events.init: _prepare, events.test_start: _start, events.report_to_master: _report, events.worker_report: _hear,
    events.quitting: _end}
for hook, function in HOOKS.items():
    hook.add_listener(function)
