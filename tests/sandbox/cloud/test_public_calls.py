"""The public calls of the sandbox cloud, with a plain terminal at the other end."""
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sandbox_client import KEYS, body

from econduit_terminal.sandbox.cloud.public_calls import us_central

REGISTER = {"Command": "Register", "TerminalType": "T", "TerminalModel": "M", "TerminalID": "T1",
            "SoftwareVersion": "1", "AckHeartbeat": "true"}


def test_a_sale_and_its_status(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    answer = cloud.start_transaction("T1", "2.50", "R1")
    request = terminal.request()
    assert request == {"Command": "Sale", "Amount": "2.50", "RefID": "R1", "TerminalID": "T1"}
    pending = cloud.check_status("R1")
    assert pending["ResultFinal"] is False and pending["ResultCode"] == "Unknown"
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": "R1", "AuthCode": "A1"}).encode())
    assert answer()["ResultCode"] == "Approved"
    today = datetime.now(us_central())
    status = cloud.check_status("R1", date=f"{today:%m%d%Y}")
    assert (status["ResultFinal"], status["AuthCode"], status["TransType"]) == (True, "A1", "Sale")
    for other in (today - timedelta(days=1), today + timedelta(days=1)):
        assert cloud.check_status("R1", date=f"{other:%m%d%Y}")["ResultCode"] == "Failed"
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
    assert (answer["ResultCode"], answer["Message"], answer["ResultFinal"]) == ("Failed", "Terminal Is Offline", True)
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
    ask = {"command": "sale", "refID": "R1", **KEYS}
    status = [cloud.call("GET", "/services/api.asmx/checkStatus", **ask)[0] for _ in range(2)]
    assert status == [200, 429]


def test_many_terminals_at_once(cloud, dial):
    terminals = [dial(cloud.primary).online(f"T{n}") for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(cloud.run_transaction, f"T{n}", ref=f"R{n}") for n in range(50)]
        for terminal in terminals:
            request = terminal.request()
            terminal.send(json.dumps({"ResultCode": "Approved", "RefID": request["RefID"]}).encode())
        assert [answer.result()["RefID"] for answer in answers] == [f"R{n}" for n in range(50)]


QUERY = "key=sandbox&password=sandbox&"


@pytest.mark.parametrize("query, said", [
    ("", "command"), (QUERY + "command=steal&terminalId=1", "command must be one of"),
    (QUERY + "command=sale&amount=2&terminalId=1", "decimal point"),
    (QUERY + "command=sale&amount=2.5e3&terminalId=1", "decimal point"),
    (QUERY + "command=sale&amount=1.2.3&terminalId=T", "decimal point"),
    (QUERY + "command=sale&terminalId=T", "needs amount"),
    (QUERY + "command=void&terminalId=T", "needs refID for Void: that of the first transaction"),
    (QUERY + "command=tipadjust&amount=1.00&terminalId=T", "needs refID for TipAdjust"),
    (QUERY + "command=sale&amount=2.50", "terminalId"),
    (QUERY + "command=sale&amount=2.50&terminalId=T&wait=x", "wait"),
    ("command=sale&amount=2.50&terminalId=T", "needs key"),
    ("key=sandbox&command=sale&amount=2.50&terminalId=T", "needs password"),
    ("key=sandbox&password=x&command=sale&amount=2.50&terminalId=T", "password"),
    ("key=x&password=sandbox&command=sale&amount=2.50&terminalId=T", "no terminal is paired"),
])
def test_a_bad_call_gets_a_sentence_that_names_what_is_wrong(cloud, query, said):
    status, answer = cloud.call("GET", "/services/api.asmx/runTransaction?" + query)
    assert status == 400 and said in answer["Message"]


def test_the_json_form(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    asked = {"Command": "Sale", "Key": "sandbox", "Password": "sandbox", "amount": 2.5, "terminalId": "T1",
             "refId": "R1", "token": "", "expDate": "", "invoiceNumber": "77", "paymenttype": "credit", "wait": 0.01}
    assert cloud.call("POST", "/services/api.asmx/runTransaction", asked)[0] == 200
    assert terminal.request() == {"Command": "Sale", "Amount": "2.50", "RefID": "R1", "TerminalID": "T1",
                                  "InvoiceNumber": "77", "PaymentType": "credit"}


def test_pair_use_and_unpair(cloud, dial):
    def pair(terminal, call="pairTerminal", **more):
        return cloud.call("GET", f"/services/api.asmx/{call}", resellerName="R", ReferenceID="m1", terminalId=terminal,
                          **more)[1]

    assert "not online" in pair("T1")["ErrorMessage"]
    terminal = dial(cloud.primary).online("T1")
    paired = pair("T1", "pairTerminalWithCountry", Country="usa")
    assert paired["Status"] == "Success" and paired["TerminalID"] == "T1"
    keys = {"key": paired["ApiKey"], "password": paired["ApiPassword"]}
    sale = {"command": "sale", "amount": "1.00", "refID": "R1", "wait": "0.01", **keys}
    assert cloud.call("GET", "/services/api.asmx/runTransaction", terminalId="T1", **sale)[0] == 200
    assert terminal.request()["RefID"] == "R1"
    status, answer = cloud.call("GET", "/services/api.asmx/runTransaction", terminalId="T2", **sale)
    assert status == 400 and "not paired" in answer["Message"]
    dial(cloud.primary).online("T2")
    assert pair("T2")["ApiKey"] == paired["ApiKey"]        # one key for all terminals of a merchant
    assert cloud.call("GET", "/services/api.asmx/unPairTerminal", terminalId="T1", **keys)[0] == 200
    assert "not paired" in cloud.call("GET", "/services/api.asmx/runTransaction", terminalId="T1", **sale)[1]["Message"]


def test_who_asks_too_often_is_revoked_until_the_reset(start_cloud):
    cloud = start_cloud("--check-interval", "60")
    asked = [cloud.call("GET", "/services/api.asmx/checkStatus", refID="R1", **KEYS) for _ in range(30)]
    assert asked[0][0] == 200 and asked[1][0] == 429
    assert asked[-1][0] == 400 and "revoked" in asked[-1][1]["Message"]
    cloud.behave()
    assert cloud.call("GET", "/services/api.asmx/checkStatus", refID="R1", **KEYS)[0] == 429


def test_a_batch_is_closed_and_a_customer_types(cloud, dial, payment_app):
    terminal = dial(cloud.primary).online("T1")
    closing = ThreadPoolExecutor(1)
    answer = closing.submit(cloud.call, "GET", "/services/api.asmx/closeBatch", terminalId="T1", **KEYS)
    request = terminal.request()
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": request["RefID"], "ResultCodeCredit": 1,
                              "TransCntCredit": 3, "AmtCredit": 7.5, "BatchNumCredit": "012"}).encode())
    closed = answer.result()[1]
    assert (request["Command"], closed["ResultCodeCredit"], closed["TransCntCredit"]) == ("CloseBatch", 1, 3)
    answer = closing.submit(cloud.call, "GET", "/services/api.asmx/getUserInput", terminalId="T1", title="ZIP",
                            type="n", maxLength="5", **KEYS)
    request = terminal.request()
    assert (request["Title"], request["Type"], request["MaxLength"]) == ("ZIP", "n", "5")
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": request["RefID"], "UserInput": "60601"}).encode())
    assert answer.result()[1]["UserInput"] == "60601"
    answer = closing.submit(cloud.call, "GET", "/services/api.asmx/closeBatch", terminalId="T1", **KEYS)
    terminal.send(json.dumps({"ResultCode": "Failed", "RefID": terminal.request()["RefID"]}).encode())
    assert answer.result()[1]["ResultCodeGift"] == -1


def test_an_old_transaction_is_asked_for_after_a_reconnect(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    cloud.run_transaction("T1", ref="OLD", wait=0.01)
    assert terminal.request()["RefID"] == "OLD"
    cloud.misbehave("inquire", times=1)
    terminal.close()
    cloud.wait_event("closed", terminal="T1")
    again = dial(cloud.primary)
    again.send(json.dumps(REGISTER).encode())
    assert again.read(15) == b"OK-REGISTRATION"     # the inquiry may be in the same segment
    assert again.request() == {"Command": "Status", "RefID": "OLD", "TerminalID": "T1"}
