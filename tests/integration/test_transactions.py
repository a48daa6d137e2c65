"""Transactions all the way: the POS's call, the cloud, the agent, the payment application, and back."""
import socket
import tempfile
import threading

import pytest
from sandbox_client import PaymentApp, body
from waiting import PATIENCE, until


@pytest.fixture
def own_app(start_payment_app):
    return start_payment_app()


def sell(cloud, terminal, amount="2.50", ref=None):
    return cloud.run_transaction(terminal.id, amount, ref=ref or f"{terminal.id}-{amount}", wait=PATIENCE)


def test_a_sale_byte_for_byte(online, cloud, payment_app):
    terminal = online()
    answer = sell(cloud, terminal)
    assert (answer["ResultCode"], answer["AmountString"], answer["Answers"]) == ("Approved", "2.50", 1)
    request = cloud.wait_event("request", terminal=terminal.id)
    run, = payment_app.runs(answer["RefID"])
    assert run["sha256"] == request["sha256"]
    assert body(cloud.wait_event("response", terminal=terminal.id)).count(run["AuthCode"].encode()) == 1
    terminal.wait_counted(received=1, answered=1, delivered=1)


@pytest.mark.parametrize("kind", ["unix", "exec"])
def test_other_kinds_of_application(online, cloud, payment_app, tmp_path, kind):
    if kind == "exec":
        terminal = online({"transactions.application": payment_app.exec_address})
        assert sell(cloud, terminal)["ResultCode"] == "Approved"
        return
    with tempfile.TemporaryDirectory() as folder:      # pytest's own may be too long for a socket's path
        app = PaymentApp(tmp_path / "unix", listen=f"unix://{folder}/payment.sock")
        try:
            app.start()
            terminal = online({"transactions.application": f"unix://{folder}/payment.sock"})
            assert sell(cloud, terminal)["ResultCode"] == "Approved"
        finally:
            app.close()


@pytest.mark.parametrize("amount, message", [
    ("9.01", "closed without an answer"), ("9.02", "closed without a complete answer"),
    ("9.04", "gave no complete answer within 0.5 s"), ("7.09", "gave no complete answer within 0.5 s"),
    ("9.12", "closed the connection"), ("9.17", "too long (transactions.max_message)")])
def test_an_application_that_fails_gets_the_failure_answer(online, cloud, amount, message):
    terminal = online({"transactions.timeout": "500ms", "transactions.drain": "1s"})
    pid = terminal.agent_pid()
    answer = sell(cloud, terminal, amount)
    assert answer["ResultCode"] == "Failed" and message in answer["Message"], answer
    assert answer["RefID"] == f"{terminal.id}-{amount}" and answer["TransType"] == "Sale"
    assert sell(cloud, terminal)["ResultCode"] == "Approved"
    assert terminal.agent_pid() == pid and terminal.status()["connects"] == 1


@pytest.mark.parametrize("amount", ["9.03", "9.05", "9.09", "9.11", "9.13", "9.14"])
def test_an_application_with_manners_of_its_own_is_understood(online, cloud, amount):
    terminal = online()
    answer = sell(cloud, terminal, amount)
    if amount == "9.14":        # a raw 0x04 inside is no JSON to the POS, but goes through unchanged
        assert "Message\":\"\x04" in answer["Raw"]
    else:
        assert answer["ResultCode"] == "Approved"
    assert sell(cloud, terminal)["ResultCode"] == "Approved"
    terminal.wait_counted(received=2, answered=2, delivered=2)


def test_an_application_that_dies_and_comes_back(online, cloud, own_app):
    terminal = online({"transactions.application": own_app.address})
    answer = sell(cloud, terminal, "9.06")
    assert answer["ResultCode"] == "Failed" and "closed without an answer" in answer["Message"]
    own_app.process.wait(PATIENCE)
    down = sell(cloud, terminal, "3.00")
    assert down["ResultCode"] == "Failed" and "the transaction did not take place" in down["Message"]
    own_app.start()
    assert sell(cloud, terminal, "4.00")["ResultCode"] == "Approved"


def test_the_connection_drops_during_a_transaction_and_the_answer_comes_over_the_next(online, cloud, payment_app):
    terminal = online()
    with payment_app.held():
        answer = cloud.start_transaction(terminal.id, "8.88", ref=terminal.id)
        payment_app.wait_run(terminal.id)
        mark = terminal.mark()
        cloud.misbehave("rst", terminal=terminal.id)
        terminal.wait_online(mark, connects=2)
    assert answer()["ResultCode"] == "Approved"
    assert len(payment_app.runs(terminal.id)) == 1


def test_the_same_request_again_is_not_run_again(online, cloud, payment_app):
    terminal = online()
    first = sell(cloud, terminal, ref=terminal.id)
    for _ in range(2):
        since = cloud.mark()
        cloud.misbehave("duplicate", terminal=terminal.id, refID=terminal.id)
        again = cloud.wait_event("response", since, terminal=terminal.id, ref=terminal.id)
        assert first["AuthCode"].encode() in body(again)
    assert len(payment_app.runs(terminal.id)) == 1


def test_a_cloud_that_spams_gets_busy_answers_and_the_agent_stays_well(online, cloud, payment_app):
    terminal = online({"transactions.queue": "1"})
    pid, spam = terminal.agent_pid(), [f"{terminal.id}-s{number}" for number in range(80)]
    with payment_app.held():
        answer = cloud.start_transaction(terminal.id, "8.88", ref=terminal.id)
        payment_app.wait_run(terminal.id)
        start = cloud.mark()
        cloud.misbehave("transactions", terminal=terminal.id, amounts=["1.00"] * len(spam), refIDs=spam)
        seen, busy = start, 0
        while busy < len(spam) - 1:
            event = cloud.wait_event("response", seen, terminal=terminal.id)
            assert b'"Failed"' in body(event)
            seen, busy = event["n"], busy + 1
        assert terminal.client.health()["ok"] and terminal.status()["online"]
    assert answer()["ResultCode"] == "Approved"
    cloud.wait_event("response", seen, terminal=terminal.id, where=lambda event: event["ref"] in spam)
    assert sum(len(payment_app.runs(ref)) for ref in spam) == 1     # the one that `queue` let wait
    assert terminal.agent_pid() == pid and terminal.status()["connects"] == 1
    terminal.wait_counted(busy=len(spam) - 1)


def test_no_body_reaches_the_log_or_the_status(online, cloud):
    terminal = online({"local.log_level": "debug"})
    answer = sell(cloud, terminal, "9.08")      # the answer holds a test card number
    assert answer["CardNumber"] == "4111111111111111"
    terminal.wait_log("delivered")
    for text in (terminal.log(), terminal.command("status").stdout, terminal.client.metrics(),
                 terminal.command("transactions").stdout):
        assert "4111" not in text and answer["AuthCode"] not in text


def test_an_application_that_streams_for_ever_is_bounded(online, cloud):
    """Bytes without an end, faster than anybody reads: neither memory nor the other connections suffer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        terminal = online({"transactions.application": f"tcp://127.0.0.1:{server.getsockname()[1]}"})

        def pour():
            taken, _ = server.accept()
            with taken:
                try:
                    while True:
                        taken.sendall(b'{"Filler":"' + b"A" * 65536)
                except OSError:
                    pass
        threading.Thread(target=pour, daemon=True).start()
        answer = sell(cloud, terminal)
        assert answer["ResultCode"] == "Failed" and "too long" in answer["Message"]
        assert terminal.status()["connects"] == 1
        until(lambda: terminal.status()["idle"], "idle again")
