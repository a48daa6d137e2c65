"""The connection to the cloud ends at every step of a transaction; the payment application misbehaves; both.

For each: how often the application ran the request, and what the cloud got. A cloud that is `dead` is silent at every
layer but TCP; networks that swallow packets are in tests/lab.
"""
import pytest

HOWS = ("close", "rst", "dead")


@pytest.mark.parametrize("step, how, runs, got", [
    # Half of the request arrived: it is not a request.
    ("request", "close", 0, []), ("request", "rst", 0, []), ("request", "dead", 0, []),
    # While the application works.
    ("sent", "close", 1, ["Approved"]), ("sent", "rst", 1, ["Approved"]),
    # The cloud's kernel acknowledges the answer and nobody reads it: delivered, and kept for when it is asked for.
    ("sent", "dead", 1, []),
])
def test_the_connection_ends(terminal, how, step, runs, got):
    here = terminal(heartbeat="200ms")
    ref = f"{here.id}-1"
    here.start()
    mark = here.cloud.mark()
    here.cloud.misbehave("break", terminal=here.id, on=step, how=how, times=1, **({"after": 20} if step == "request"
                                                                                else {}))
    here.ask("6.30", ref)
    here.cloud.wait_event("registered", mark, 20, terminal=here.id)
    here.wait_answers(len(got))
    here.flush()
    assert (len(here.app.runs(ref)), here.got()) == (runs, got)
    here.ask_again(ref)
    here.wait_answers(len(got) + 1)
    assert (len(here.app.runs(ref)), here.got()) == (1, [*got, "Approved"])


@pytest.mark.parametrize("how", HOWS)
def test_the_connection_ends_when_the_answer_has_arrived(terminal, how):
    here = terminal(heartbeat="200ms")
    ref = f"{here.id}-1"
    here.start()
    mark = here.cloud.mark()
    here.cloud.misbehave("break", terminal=here.id, on="response", how=how, times=1)
    here.ask("2.50", ref)
    here.wait_answers(1)
    here.cloud.wait_event("registered", mark, 20, terminal=here.id)
    here.flush()
    # Whether the acknowledgement was seen before the end is a race: once or twice, never none.
    assert here.got() in (["Approved"], ["Approved"] * 2)
    assert len({answer["AuthCode"] for answer in here.answers()}) == 1 and len(here.app.runs(ref)) == 1


def test_asked_again_over_the_next_connection_while_it_runs(terminal):
    here = terminal(heartbeat="200ms")
    ref = f"{here.id}-1"
    here.start()
    with here.app.held():
        here.ask("8.88", ref)
        here.app.wait_run(ref)
        mark = here.cloud.mark()
        here.cloud.misbehave("rst", terminal=here.id)
        here.cloud.wait_event("registered", mark, 20, terminal=here.id)
        here.ask_again(ref)         # attaches
    here.wait_answers(1)
    here.flush()
    assert here.got() == ["Approved"] and len(here.app.runs(ref)) == 1


def test_offline_for_the_whole_transaction_and_restarted_before_it_is_online_again(terminal):
    here = terminal()
    ref = f"{here.id}-1"
    here.start()
    with here.app.held():
        here.ask("8.88", ref)
        here.app.wait_run(ref)
        here.cloud.misbehave("stop-listening", drop=True)
        here.wait_offline()
    here.wait_state(ref, "answered")
    here.kill()
    here.cloud.misbehave("listen")
    here.start()
    here.wait_answers(1)
    here.flush()
    assert here.got() == ["Approved"] and len(here.app.runs(ref)) == 1


# amount: what the cloud gets, and again for the same request
APPLICATION = {
    "9.01": "no answer", "9.02": "no answer", "9.04": "no answer", "9.05": "Approved", "9.06": "no answer",
    "9.11": "Approved", "9.12": "no answer", "9.13": "Approved", "9.15": "Approved",
}


@pytest.mark.parametrize("amount", APPLICATION)
def test_the_application_misbehaves(terminal, amount):
    here = terminal(timeout="1s")
    ref = f"{here.id}-1"
    here.start()
    here.ask(amount, ref)
    here.wait_answers(1)
    here.ask_again(ref)
    here.wait_answers(2)
    here.flush()
    assert here.got() == [APPLICATION[amount]] * 2 and len(here.app.runs(ref)) == 1
    assert len({answer.get("AuthCode") for answer in here.answers()}) == 1


def test_the_application_is_not_there_and_comes_back(terminal):
    here = terminal()
    here.start()
    here.app.kill()
    here.ask("2.50", f"{here.id}-1")
    here.wait_answers(1)
    here.app.start()
    here.ask_again(f"{here.id}-1")      # answered is answered: a new attempt takes a new RefID
    here.ask("2.50", f"{here.id}-2")
    here.wait_answers(3)
    assert here.got() == ["not reachable", "not reachable", "Approved"]
    assert len(here.app.runs(f"{here.id}-1")) == 0


def test_many_at_once(terminal):
    """More than one and a queue of one: each is run once or told busy, none is lost."""
    here = terminal(queue=1)
    here.start()
    refs = [f"{here.id}-{number}" for number in range(4)]
    with here.app.held():
        here.cloud.misbehave("transactions", terminal=here.id, amounts=",".join(["8.88"] * 4), refIDs=",".join(refs))
        here.wait_answers(2)
        assert here.got() == ["busy", "busy"]
    here.wait_answers(4)
    here.flush()
    assert here.got() == ["busy", "busy", "Approved", "Approved"]
    assert [answer["RefID"] for answer in here.answers()] == [refs[2], refs[3], refs[0], refs[1]]
    assert [len(here.app.runs(ref)) for ref in refs] == [1, 1, 0, 0]


@pytest.mark.parametrize("kind", ["unix", "exec"])
def test_the_other_ways_to_an_application(terminal, start_payment_app, tmp_path, kind):
    app = start_payment_app(listen=f"unix://{tmp_path}/app.sock")
    here = terminal(application=app.address if kind == "unix" else app.exec_address)
    here.start()
    ref = f"{here.id}-1"
    here.ask("2.50", ref)
    here.wait_answers(1)
    here.ask_again(ref)
    here.wait_answers(2)
    assert here.got() == ["Approved", "Approved"] and len(app.runs(ref)) == 1
