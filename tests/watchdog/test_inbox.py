"""Messages from threads: the newest of each kind, and none lost from sight."""
import select

import pytest

from econduit_terminal.contract.status import Status
from econduit_terminal.watchdog.inbox import AgentChanged, Inbox, ProbesDone, ThreadFailed
from econduit_terminal.watchdog.probe_results import ProbeResults


def heard(inbox, timeout=5):
    return bool(select.select([inbox], [], [], timeout)[0])


def test_the_newest_message_of_each_kind():
    inbox, done = Inbox(), ProbesDone(3, ProbeResults())
    assert not heard(inbox, 0)
    for number in range(1000):
        inbox.put(AgentChanged(Status(pid=number)))
    inbox.put(done)
    assert heard(inbox)
    assert inbox.take() == (AgentChanged(Status(pid=999)), done)
    assert not heard(inbox, 0) and inbox.take() == ()


def test_a_ring_wakes_without_a_message():
    inbox = Inbox()
    inbox.ring()
    assert heard(inbox) and inbox.take() == ()


def test_a_thread_that_fails_says_so():
    inbox, mistake = Inbox(), RuntimeError("broken on purpose")

    def work():
        raise mistake

    inbox.spawn(work, "worker").join(5)
    assert heard(inbox)
    with pytest.raises(ThreadFailed, match="^worker: RuntimeError") as failed:
        inbox.take()
    assert failed.value.__cause__ is mistake
