"""The table of public calls: what is accepted, in which form, and what is said of the rest: pure."""
import pytest

from econduit_terminal.sandbox.cloud.calls import CALLS, CallError, find, read

KEYS = {"key": "k", "password": "p"}
SALE = {**KEYS, "command": "Sale", "amount": "2.50", "terminalId": "T"}


@pytest.mark.parametrize("name, wanted", [
    ("runTransaction", "runTransaction"), ("RUNTRANSACTION2", "runTransaction2"), ("checkStatus2", "checkStatus"),
    ("closebatch", "closeBatch"), ("stealMoney", None), ("", None)])
def test_calls_are_found_in_any_case(name, wanted):
    assert find(name) == wanted


@pytest.mark.parametrize("change, wanted", [
    ({}, "2.50"), ({"amount": 2.5}, "2.50"), ({"amount": 3}, "3.00"), ({"amount": "0.005"}, "0.005")])
def test_an_amount_in_a_query_and_in_json(change, wanted):
    assert read("runTransaction", {**SALE, **change})["amount"] == wanted


def test_names_count_in_any_case():
    given = {"Command": "sale", "Key": "k", "PASSWORD": "p", "Amount": "1.00", "TERMINALID": "T", "refId": "R"}
    assert read("runTransaction", given) == {"command": "Sale", **KEYS, "amount": "1.00", "refID": "R",
                                             "terminalId": "T"}


@pytest.mark.parametrize("missing", ["invoiceNumber", "merchantId", "token", "expDate"])
def test_the_further_fields_may_be_empty_but_must_be_there(missing):
    further = dict.fromkeys(("invoiceNumber", "merchantId", "token", "expDate"), "")
    assert read("runTransaction2", {**SALE, **further})[missing] == ""
    del further[missing]
    with pytest.raises(CallError, match=f"runTransaction2 needs {missing}: may be empty, but must be there"):
        read("runTransaction2", {**SALE, **further})


@pytest.mark.parametrize("call, given, said", [
    ("runTransaction", {**SALE, "amount": None}, "needs amount for Sale"),
    ("runTransaction", {**SALE, "amount": float("nan")}, "amount must be a number"),
    ("runTransaction", {**SALE, "amount": 1e300}, "amount must be a number"),
    ("runTransaction", {**SALE, "amount": 10 ** 100}, "amount must be a number"),
    ("runTransaction", {**SALE, "amount": True}, "must be a text or a number"),
    ("runTransaction", {**SALE, "terminalId": ["T"]}, "must be a text or a number"),
    ("runTransaction", {**SALE, "terminalId": "T" * 201}, "terminalId must be at most 200"),
    ("runTransaction", {**SALE, "paymenttype": "gold"}, "paymenttype must be one of credit"),
    ("checkStatus", {**KEYS, "refID": "R", "date": "13322026"}, "date must be MMddyyyy"),
    ("getUserInput", {**KEYS, "terminalId": "T", "title": "ZIP", "type": "x", "maxLength": "5"}, "type must be one of"),
    ("getUserInput", {**KEYS, "terminalId": "T", "title": "ZIP", "type": "n", "maxLength": "0"}, "maxLength must be"),
    ("getUserInput", {**KEYS, "terminalId": "T", "title": "ZIP", "type": "n"}, "needs maxLength"),
    ("pairTerminal", {"resellerName": "R", "terminalId": "T"}, "needs ReferenceID"),
    ("pairTerminalWithCountry", {"resellerName": "R", "ReferenceID": "m", "terminalId": "T", "Country": "Mars"},
     "Country must be one of USA"),
])
def test_what_is_wrong_is_named(call, given, said):
    with pytest.raises(CallError) as error:
        read(call, given)
    assert said in str(error.value)


@pytest.mark.parametrize("command", ["Capture", "Void", "GiftBalance"])
def test_some_commands_need_no_amount(command):
    assert "amount" not in read("runTransaction", {**SALE, "command": command, "amount": "", "refID": "R"})


def test_every_example_is_accepted():
    for call in CALLS.values():
        for name, field in call.fields.items():
            if field.example:
                assert field.check(field.example), name
            assert all(field.check(choice) == choice for choice in field.choices)
