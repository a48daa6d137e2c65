import gevent

from econduit_terminal.agent.transactions.serial_queue import SerialQueue


class Thing:
    def __init__(self, label):
        self.label = label


def test_one_after_the_other_and_a_failure_costs_only_its_own(settle):
    seen, failed, after = [], [], []
    gate = gevent.event.Event()

    def handle(thing):
        assert queue.current is thing
        gate.wait()
        seen.append(thing.label)
        if thing.label == "b":
            raise ValueError("broken")

    queue = SerialQueue(handle, lambda thing: failed.append(thing.label), lambda: after.append(len(queue)))
    worker = gevent.spawn(queue.work)
    for label in "abcd":
        queue.add(Thing(label))
    settle(lambda: queue.current is not None)
    assert [thing.label for thing in queue] == ["a", "b", "c", "d"] and len(queue) == 4
    gate.set()
    settle(lambda: not queue)
    assert (seen, failed, after) == (["a", "b", "c", "d"], ["b"], [3, 2, 1, 0])
    worker.kill()


def test_clear_takes_the_line_but_not_the_current_one(settle):
    gate = gevent.event.Event()
    queue = SerialQueue(lambda thing: gate.wait(), None, lambda: None)
    worker = gevent.spawn(queue.work)
    queue.add(Thing("a"))
    settle(lambda: queue.current is not None)
    queue.add(Thing("b"))
    assert [thing.label for thing in queue.clear()] == ["b"]
    assert [thing.label for thing in queue] == ["a"]
    gate.set()
    settle(lambda: not queue)
    worker.kill()


def test_started_again_after_a_bug_it_goes_on_with_those_that_wait(settle):
    seen = []
    queue = SerialQueue(lambda thing: seen.append(thing.label), None, lambda: seen != ["a"] or 1 / 0)
    queue.add(Thing("a"))
    queue.add(Thing("b"))
    worker = gevent.spawn(queue.work)
    worker.join(timeout=5)
    assert isinstance(worker.exception, ZeroDivisionError) and len(queue) == 1
    worker = gevent.spawn(queue.work)
    settle(lambda: seen == ["a", "b"])
    worker.kill()
