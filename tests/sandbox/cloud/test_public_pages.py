"""What eConduit's public pages say of the cloud, beside the document: each line of it, tried on the sandbox's.

The calls and their parameters, what a POS may leave out, and what it gets back. Where a module has the rule, its own
test tries it in depth; here stands that a POS meets it.
"""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sandbox_client import KEYS

from econduit_terminal.sandbox.cloud.calls import CALLS, COMMANDS, PAYMENT_TYPES

METHODS = ("runTransaction", "runTransaction2", "checkStatus", "checkStatus2", "closeBatch", "getUserInput",
           "pairTerminal", "pairTerminalWithCountry", "unPairTerminal")
ANSWER = {"TerminalID", "ResultCode", "AuthCode", "TransType", "Amount", "AmountString", "CardType", "Last4", "Message",
          "RefID", "Name", "CashBack", "CashBackString", "CardToken", "GiftCardBalance", "GiftCardBalanceString",
          "ProcessorExtraData1", "ProcessorExtraData2", "ProcessorExtraData3", "SignatureData", "EMV_TC", "EMV_TVR",
          "EMV_AID", "EMV_TSI", "EMV_ATC", "EMV_App_Label", "EMV_App_Name", "CardBin", "ExpDate", "EntryMethod",
          "receiptTerminal"}
BATCH = {f"{field}{side}" for field in ("ResultCode", "Message", "BatchNum", "TransCnt", "Amt")
         for side in ("Credit", "Gift")}
ASKED = {"terminalId": "T1", **KEYS}


@pytest.fixture
def ask(cloud):
    """ask(call, …) → its answer, once it is there."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda call, **given: pool.submit(
            lambda: cloud.call("GET", f"/services/api.asmx/{call}", **given))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_there_and_says_what_it_needs(cloud, method):
    status, answer = cloud.call("GET", f"/services/api.asmx/{method}")
    assert status == 400 and " needs " in answer["Message"] and answer["ResultFinal"] is False
    assert {name for name in METHODS if name != "checkStatus2"} == set(CALLS)


def test_a_method_that_is_not_there_is_answered_with_those_that_are(cloud):
    status, answer = cloud.call("GET", "/services/api.asmx/payMe")
    assert status == 404 and all(name in answer["Message"] for name in CALLS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_reaches_the_terminal(cloud, ask, dial, command):
    terminal = dial(cloud.primary).online("T1")
    answer = ask("runTransaction", command=command.lower(), amount="2.50", refID="R1", **ASKED)
    assert terminal.request() == {"Command": command, "Amount": "2.50", "RefID": "R1", "TerminalID": "T1"}
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": "R1", "TransType": command}).encode())
    assert answer.result()[1]["TransType"] == command


@pytest.mark.parametrize("kind", PAYMENT_TYPES)
def test_every_kind_of_payment_reaches_the_terminal(cloud, ask, dial, kind):
    terminal = dial(cloud.primary).online("T1")
    ask("runTransaction", command="sale", amount="2.50", refID="R1", paymenttype=kind.upper(), wait="0.01", **ASKED)
    assert terminal.request()["PaymentType"] == kind


def test_every_answer_has_every_field(cloud, ask, dial):
    offline = ask("runTransaction", command="sale", amount="2.50", refID="R1", **ASKED).result()[1]
    terminal = dial(cloud.primary).online("T1")
    answer = ask("runTransaction", command="sale", amount="2.50", refID="R2", **ASKED)
    terminal.request()
    terminal.send(b'{"ResultCode":"Approved","RefID":"R2"}')
    assert set(offline) >= ANSWER and set(answer.result()[1]) >= ANSWER


def test_a_signature_of_hundreds_of_kilobytes_comes_through_as_it_is(cloud, ask, dial):
    terminal = dial(cloud.primary).online("T1")
    answer = ask("runTransaction", command="sale", amount="2.50", refID="R1", **ASKED)
    terminal.request()
    signature = "iVBORw0KGgo=" * 40_000
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": "R1", "SignatureData": signature}).encode())
    assert answer.result()[1]["SignatureData"] == signature


def test_a_batch_that_is_closed_that_failed_and_that_is_not_supported(cloud, ask, dial):
    terminal = dial(cloud.primary).online("T1")
    codes = []
    for fields in ({"ResultCode": "Approved", "ResultCodeCredit": 1, "ResultCodeGift": 1}, {"ResultCode": "Unknown"}):
        answer = ask("closeBatch", **ASKED)
        terminal.send(json.dumps({"RefID": terminal.request()["RefID"], **fields}).encode())
        assert set(answer.result()[1]) >= BATCH
        codes.append(answer.result()[1]["ResultCodeCredit"])
    codes.append(ask("closeBatch", wait="0.01", **ASKED).result()[1]["ResultCodeCredit"])
    assert codes == [1, -1, 0]


@pytest.mark.parametrize("kind", ["c", "n", "a", "an"])
def test_every_kind_of_input_is_asked_for(cloud, ask, dial, kind):
    terminal = dial(cloud.primary).online("T1")
    answer = ask("getUserInput", title="ZIP", type=kind, maxLength="5", **ASKED)
    request = terminal.request()
    assert (request["Command"], request["Type"]) == ("GetUserInput", kind)
    terminal.send(json.dumps({"ResultCode": "Approved", "RefID": request["RefID"], "UserInput": "1"}).encode())
    assert answer.result()[1]["UserInput"] == "1"


def test_a_terminal_is_paired_by_the_number_on_its_display(cloud, dial):
    dial(cloud.primary).online("T1")
    for call, more in (("pairTerminal", {}), ("pairTerminalWithCountry", {"Country": "Canada"})):
        paired = cloud.call("GET", f"/services/api.asmx/{call}", resellerName="R", ReferenceID="m1", terminalId="T1",
                            **more)[1]
        assert {"ApiKey", "ApiPassword", "TerminalID", "Status", "ErrorMessage"} == set(paired)
        assert paired["ApiKey"] and paired["ApiPassword"] and paired["Status"] == "Success"


def test_two_terminals_with_one_id_are_one_terminal(cloud, dial):
    first = dial(cloud.primary).online("T1")
    second = dial(cloud.secondary).online("T1")
    assert first.ended() and cloud.terminals()["T1"]["max_at_once"] == 2
    cloud.run_transaction("T1", ref="R", wait=0.01)
    assert second.request()["RefID"] == "R"
