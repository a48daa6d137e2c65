import gevent
import pytest

from econduit_terminal.agent.journal.ages import Moment
from econduit_terminal.agent.transactions import delivery as module
from econduit_terminal.agent.transactions.delivery import DeliveryQueue, PendingResponse


class World:
    """A queue, a clock, and what it reported."""

    def __init__(self):
        self.up = 0.0
        self.delivered, self.expired = [], []
        self.queue = DeliveryQueue(600.0, self.now, lambda response: self.delivered.append(response.answer),
                               lambda response: self.expired.append(response.answer))
        self.worker = gevent.spawn(self.queue.work)

    def now(self):
        return Moment(1_800_000_000.0 + self.up, "boot", self.up)

    def add(self, answer, **more):
        response = PendingResponse(answer, "RefID=1", self.now(), **more)
        self.queue.add(response)
        return response


@pytest.fixture
def world():
    world = World()
    yield world
    world.worker.kill()


def test_in_order_on_the_connection_that_is_there(world, connection, settle):
    there = connection()
    world.queue.attach(there)
    world.add(b"1")
    world.add(b"2")
    assert world.queue.busy
    settle(lambda: not world.queue.busy)
    assert there.sent == world.delivered == [b"1", b"2"]


def test_waits_for_the_next_connection_and_is_not_busy_meanwhile(world, connection, settle):
    world.add(b"1")
    gevent.idle()
    assert not world.queue.busy and world.queue.waiting == 1
    there = connection()
    world.queue.attach(there)
    settle(lambda: world.delivered == [b"1"])
    assert world.queue.waiting == 0


def test_not_acknowledged_is_sent_once_on_each_next_connection(world, connection, settle):
    first, second, third = (connection(number, verdicts) for number, verdicts in ((1, [False]), (2, [False]), (3, [])))
    world.queue.attach(first)
    world.add(b"1")
    settle(lambda: first.sent and not world.queue.busy)
    world.add(b"2")             # not on a connection that has failed
    gevent.sleep(0.02)
    assert first.sent == [b"1"] and not world.queue.busy
    for there in (second, third):
        world.queue.detach(first)
        world.queue.attach(there)
        settle(lambda: not world.queue.busy)
    assert (second.sent, third.sent, world.delivered) == ([b"1"], [b"1", b"2"], [b"1", b"2"])


def test_m8_a_large_answer_that_failed_lets_smaller_ones_pass_on_the_next_connection(world, connection, settle):
    first, second, third = connection(1, [False]), connection(2, [True, False]), connection(3)
    large, small, middle = b"x" * 1600, b"small", b"y" * 800
    world.queue.attach(first)
    world.add(large)
    settle(lambda: first.sent and not world.queue.busy)
    world.add(middle)
    world.add(small)
    for there in (second, third):
        world.queue.attach(there)
        settle(lambda: not world.queue.busy)
    assert (second.sent, third.sent) == ([small, middle], [middle, large])
    assert world.delivered == [small, middle, large]


def test_m8_one_that_has_not_failed_waits_for_nobody(world, connection, settle):
    there = connection()
    world.add(b"x" * 1600)
    world.add(b"small")
    world.queue.attach(there)
    settle(lambda: not world.queue.busy)
    assert there.sent == [b"x" * 1600, b"small"]


def test_too_old_is_not_sent_unasked(world, connection, settle):
    world.add(b"old")
    world.up = 601.0
    world.add(b"young")
    there = connection()
    world.queue.attach(there)
    settle(lambda: world.delivered == [b"young"])
    assert world.expired == [b"old"] and there.sent == [b"young"]


def test_asked_for_again_is_young_again(world, connection, settle):
    response = world.add(b"old", id=7)
    world.up = 601.0
    assert world.queue.find(7) is response
    response.since = world.now()
    world.queue.attach(connection())
    settle(lambda: world.delivered == [b"old"])


def test_what_is_being_sent_is_not_there_to_attach_to(world, connection, settle):
    response = world.add(b"1", id=7)
    there = connection()
    seen = []
    there.send = lambda payload, timeout: seen.append(world.queue.find(7)) or True
    assert world.queue.find(7) is response
    world.queue.attach(there)
    settle(lambda: world.delivered == [b"1"])
    assert seen == [None]


def test_a_bound_answer_goes_with_its_connection(world, connection, settle):
    first, second = connection(1), connection(2)
    world.queue.attach(first)
    world.queue.refuse(b"busy", "RefID=3", first)
    world.queue.detach(first)
    world.queue.refuse(b"busy", "RefID=4", first)
    world.add(b"2")
    world.queue.attach(second)
    world.queue.refuse(b"busy", "RefID=5", first)
    settle(lambda: world.delivered == [b"2"])
    assert first.sent == [] and second.sent == [b"2"] and world.queue.waiting == 0 and world.expired == []


def test_detaching_another_connection_changes_nothing(world, connection, settle):
    there = connection()
    world.queue.attach(there)
    world.queue.detach(connection(2))
    world.add(b"1")
    settle(lambda: world.delivered == [b"1"])


def test_an_exception_in_send_is_a_loss(world, connection, settle, caplog):
    class Broken(connection):
        def send(self, payload, timeout):
            raise ValueError("a bug")
    broken = Broken()
    world.queue.attach(broken)
    world.add(b"1")
    settle(lambda: "kept for the next" in caplog.text)
    assert broken.failed        # else it would stay, and answers with it
    world.queue.attach(connection(2))
    settle(lambda: world.delivered == [b"1"])


@pytest.mark.parametrize("limit, value", [("MAX_WAITING", 3), ("MAX_BYTES", 3)])
def test_what_waits_is_bounded_in_number_and_bytes_and_the_oldest_goes(world, monkeypatch, limit, value):
    monkeypatch.setattr(module, limit, value)
    for number in range(5):
        assert world.queue.full is (number > 2)
        world.add(b"%d" % number, id=number)
    assert [response.answer for response in world.queue._waiting] == [b"2", b"3", b"4"]
    assert world.expired == [b"0", b"1"]        # told, so that the journal does not keep them forever


def test_m15_refusals_go_out_many_at_once_and_an_answer_is_not_behind_all_of_them(world, connection, settle):
    there, sent = connection(), []
    there.send = lambda payload, timeout: sent.append(payload) or gevent.sleep(0) or True
    world.queue.attach(there)
    for number in range(10_000):
        world.queue.refuse(b"busy %05d" % number, f"RefID={number}", there)
    world.add(b"approved")
    settle(lambda: not world.queue.busy)
    assert sent[1] == b"approved"
    answers = b"\x04\x04".join(sent[:1] + sent[2:]).split(b"\x04\x04")
    assert answers == [b"busy %05d" % number for number in range(10_000)] and len(sent) < 10
    assert there.failed is None


def test_m15_a_cloud_that_asks_more_than_it_takes_in_loses_the_connection(world, connection, settle):
    there, later, block = connection(1), connection(2), gevent.event.Event()
    there.send = lambda payload, timeout: block.wait() and False
    world.queue.attach(there)
    for number in range(10_000):
        world.queue.refuse(b"x" * 600, f"RefID={number}", there)
        if number % 100 == 0:
            gevent.sleep(0)
    assert "more requests" in there.failed
    block.set()
    settle(lambda: not world.queue.busy)
    world.add(b"approved")
    world.queue.attach(later)
    settle(lambda: world.delivered == [b"approved"])
    assert later.sent == [b"approved"]


def test_started_again_after_a_bug_it_goes_on_with_what_waits(world, connection, settle):
    there = connection()
    world.queue.attach(there)
    gevent.idle()
    world.queue._delivered = lambda response: 1 / 0
    world.add(b"1")
    world.add(b"2")
    world.worker.join(timeout=5)
    assert isinstance(world.worker.exception, ZeroDivisionError)
    world.queue._delivered = lambda response: world.delivered.append(response.answer)
    world.worker = gevent.spawn(world.queue.work)
    settle(lambda: world.delivered == [b"2"])


def test_the_one_being_sent_does_not_fail(world, connection, settle, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    there = connection()
    there.send = lambda payload, timeout: gevent.sleep(0.02) or True
    world.add(b"1", id=1)
    world.queue.attach(there)
    gevent.sleep(0.01)
    for number in (2, 3):
        world.add(b"%d" % number, id=number)
    settle(lambda: not world.queue.busy)
    assert (world.delivered, world.expired) == ([b"1", b"3"], [b"2"])


def test_a_long_answer_gets_the_time_that_a_slow_line_needs(world, connection, settle):
    there, granted = connection(), []
    there.send = lambda payload, timeout: granted.append(timeout) or True
    world.queue.attach(there)
    world.add(b"x")
    world.add(b"x" * (1 << 20))
    settle(lambda: len(granted) == 2)
    assert granted[0] < 31 and granted[1] > 500
