import gevent

from econduit_terminal.agent.transactions.desk import Desk


class Thing:
    def __init__(self, label):
        self.label = label


def test_one_after_the_other_and_a_failure_costs_only_its_own(settle):
    seen, failed, after = [], [], []
    gate = gevent.event.Event()

    def see_to(thing):
        assert desk.current is thing
        gate.wait()
        seen.append(thing.label)
        if thing.label == "b":
            raise ValueError("broken")

    desk = Desk(see_to, lambda thing: failed.append(thing.label), lambda: after.append(len(desk)))
    worker = gevent.spawn(desk.work)
    for label in "abcd":
        desk.add(Thing(label))
    settle(lambda: desk.current is not None)
    assert [thing.label for thing in desk] == ["a", "b", "c", "d"] and len(desk) == 4
    gate.set()
    settle(lambda: not desk)
    assert (seen, failed, after) == (["a", "b", "c", "d"], ["b"], [3, 2, 1, 0])
    worker.kill()


def test_clear_takes_the_line_but_not_the_current_one(settle):
    gate = gevent.event.Event()
    desk = Desk(lambda thing: gate.wait(), None, lambda: None)
    worker = gevent.spawn(desk.work)
    desk.add(Thing("a"))
    settle(lambda: desk.current is not None)
    desk.add(Thing("b"))
    assert [thing.label for thing in desk.clear()] == ["b"]
    assert [thing.label for thing in desk] == ["a"]
    gate.set()
    settle(lambda: not desk)
    worker.kill()


def test_started_again_after_a_bug_it_goes_on_with_those_that_wait(settle):
    seen = []
    desk = Desk(lambda thing: seen.append(thing.label), None, lambda: seen != ["a"] or 1 / 0)
    desk.add(Thing("a"))
    desk.add(Thing("b"))
    worker = gevent.spawn(desk.work)
    worker.join(timeout=5)
    assert isinstance(worker.exception, ZeroDivisionError) and len(desk) == 1
    worker = gevent.spawn(desk.work)
    settle(lambda: seen == ["a", "b"])
    worker.kill()
