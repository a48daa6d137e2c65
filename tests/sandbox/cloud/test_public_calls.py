"""The public calls of the sandbox cloud, with a plain terminal at the other end."""
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sandbox_client import body


def test_a_sale_and_its_status(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    answer = cloud.start_transaction("T1", "2.50", "R1")
    request = terminal.request()
    assert request == {"Command": "Sale", "Amount": "2.50", "RefID": "R1", "TerminalID": "T1"}
    pending = cloud.check_status("R1")
    assert pending["ResultFinal"] is False and pending["ResultCode"] == "Unknown"
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": "R1", "AuthCode": "A1"}).encode())
    assert answer()["ResultCode"] == "Approved"
    today = datetime.now(UTC).strftime("%m%d%Y")
    status = cloud.check_status("R1", date=today)
    assert (status["ResultFinal"], status["AuthCode"], status["TransType"]) == (True, "A1", "Sale")
    assert cloud.check_status("R1", date="01192016")["ResultCode"] == "Failed"
    event = cloud.wait_event("response", ref="R1")
    assert event["sha256"] == hashlib.sha256(body(event)).hexdigest()


def test_a_follow_up_reuses_the_ref_id(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    for command, kind in (("sale", "Sale"), ("void", "Void")):
        answer = cloud.start_transaction("T1", "1.00", "R1", command=command)
        assert terminal.request()["Command"] == kind
        terminal.send(json.dumps({"ResultCode": "Approved", "RefID": "R1", "TransType": kind}).encode())
        assert answer()["TransType"] == kind
    assert cloud.check_status("R1", "Sale")["TransType"] == "Sale"
    assert cloud.check_status("R1", "void")["TransType"] == "Void"


def test_run_transaction_2_passes_its_further_fields_on(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    answer = cloud.start_transaction("T1", "1.00", "R1", call="runTransaction2", invoiceNumber="77", token="")
    request = terminal.request()
    assert request["InvoiceNumber"] == "77" and "Token" not in request
    terminal.send(b'{"ResultCode":"Declined","RefID":"R1"}')
    assert answer()["ResultCode"] == "Declined"


def test_an_offline_terminal_is_said_to_be_offline(cloud):
    answer = cloud.run_transaction("nobody", ref="R1")
    assert "offline" in answer["Message"] and answer["ResultFinal"] is True
    assert cloud.check_status("R1")["Message"].startswith("No transaction")


def test_a_late_answer_on_a_later_connection_is_kept(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    assert cloud.run_transaction("T1", ref="R1", wait=0.05)["ResultFinal"] is False
    terminal.request()
    terminal.close()
    assert "closed by the terminal" in cloud.wait_event("closed", terminal="T1")["detail"]
    again = dial(cloud.secondary).online("T1")
    again.send(b'{"ResultCode":"Approved","RefID":"R1"}')
    cloud.wait_event("response", ref="R1")
    assert cloud.check_status("R1")["ResultCode"] == "Approved"
    again.send(b'{"ResultCode":"Approved","RefID":"unknown"}')
    assert cloud.wait_event("unsolicited")["ref"] == "unknown"


def test_check_status_is_paced(start_cloud):
    cloud = start_cloud("--check-interval", "5")
    status = [cloud.call("GET", "/services/api.asmx/checkStatus", command="sale", refID="R1")[0] for _ in range(2)]
    assert status == [200, 429]


def test_many_terminals_at_once(cloud, dial):
    terminals = [dial(cloud.primary).online(f"T{n}") for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(cloud.run_transaction, f"T{n}", ref=f"R{n}") for n in range(50)]
        for terminal in terminals:
            request = terminal.request()
            terminal.send(json.dumps({"ResultCode": "Approved", "RefID": request["RefID"]}).encode())
        assert [answer.result()["RefID"] for answer in answers] == [f"R{n}" for n in range(50)]


@pytest.mark.parametrize("query", [
    "", "command=steal&terminalId=1", "command=sale&amount=2&terminalId=1", "command=sale&amount=2.5e3&terminalId=1",
    "command=sale&amount=2.50", "command=sale&amount=2.50&terminalId=T&wait=x",
    "command=sale&amount=1.2.3&terminalId=T",
])
def test_a_bad_call_gets_a_sentence(cloud, query):
    status, answer = cloud.call("GET", "/services/api.asmx/runTransaction?" + query)
    assert status == 400 and answer["Message"]
