"""Words from threads: the newest on each subject, and none lost from sight."""
import select

from econduit_terminal.watchdog.inbox import Inbox


def heard(inbox, timeout=5):
    return bool(select.select([inbox], [], [], timeout)[0])


def test_the_newest_word_on_each_subject():
    inbox = Inbox()
    assert not heard(inbox, 0)
    for number in range(1000):
        inbox.put("agent", number)
    inbox.put("answers", "all")
    assert heard(inbox)
    assert inbox.take() == {"agent": 999, "answers": "all"}
    assert not heard(inbox, 0) and inbox.take() == {}


def test_a_ring_wakes_without_a_word():
    inbox = Inbox()
    inbox.ring()
    assert heard(inbox) and inbox.take() == {}


def test_a_thread_that_fails_says_so():
    inbox, mistake = Inbox(), RuntimeError("broken on purpose")

    def work():
        raise mistake

    inbox.spawn(work, "worker").join(5)
    assert inbox.take() == {"failed": ("worker", mistake)}
