"""How long it waits is said by test_policy.py."""
import logging

import gevent
import pytest

from econduit_terminal.agent.cloud import redial_wait
from econduit_terminal.agent.cloud.link_commands import LinkCommands
from econduit_terminal.agent.cloud.policy import Cause, Wait
from econduit_terminal.agent.cloud.redial_wait import RedialWait

LONG = 3600.0


class Policy:
    """Waits as long as it is told to."""
    left, woken = LONG, 0

    def wait(self, now):
        return self.left

    def wake(self):
        self.woken += 1


@pytest.fixture
def policy():
    return Policy()


@pytest.fixture
def commands():
    return LinkCommands()


@pytest.fixture
def it(commands, policy, store):
    return RedialWait(commands, policy, store)


def wait(cause=Cause.DOWN):
    return Wait(1.0, cause, 1, {})


@pytest.mark.parametrize("command", ["dial", "stop"])
def test_a_command_ends_it(it, commands, policy, store, command):
    waiting = gevent.spawn(it.run, wait(), "refused")
    store.wait("phase", "waiting")
    commands.wakeup.set()           # a word that changes nothing
    gevent.idle()
    assert not waiting.ready() and policy.woken == 0
    setattr(commands, command, True)
    commands.wakeup.set()
    waiting.get(timeout=5)
    assert policy.woken == 1


def test_it_ends_when_an_endpoint_may_be_dialed_though_that_was_to_be_later(it, commands, policy, store):
    waiting = gevent.spawn(it.run, wait(), "refused")
    store.wait("phase", "waiting")
    policy.left = 0.0
    commands.wakeup.set()
    waiting.get(timeout=5)
    assert policy.woken == 0 and store.entries == [("phase", "waiting")]


def test_a_time_that_moved_is_shown(it, commands, policy, store):
    waiting = gevent.spawn(it.run, wait(), "refused")
    store.wait("phase", "waiting")
    policy.left = 60.0
    commands.wakeup.set()
    store.wait("phase", "waiting", count=2)
    waiting.kill()


def test_the_same_reason_is_logged_once_a_minute_and_after_a_connection_anew(it, policy, monkeypatch, caplog):
    policy.left = 0.0
    caplog.set_level(logging.DEBUG)

    def level(cause, reason):
        caplog.clear()
        it.run(wait(cause), reason)
        return caplog.records[-1].levelname

    assert level(Cause.DOWN, "no answer from A; no answer from B") == "INFO"
    assert level(Cause.DOWN, "no answer from B; no answer from A") == "DEBUG"
    assert level(Cause.PATH, "no answer from B; no answer from A") == "INFO"
    assert level(Cause.PATH, "no answer from B; no answer from A") == "DEBUG"
    it.forget()
    assert level(Cause.PATH, "no answer from B; no answer from A") == "INFO"
    monkeypatch.setattr(redial_wait, "SAME_AGAIN", 0.0)
    assert level(Cause.PATH, "no answer from B; no answer from A") == "INFO"
