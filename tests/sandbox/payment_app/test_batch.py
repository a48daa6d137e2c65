"""The batch and the commands that are not about money: pure."""
import json

import pytest

from econduit_terminal.sandbox.payment_app.batch import Batch
from econduit_terminal.sandbox.payment_app.outcomes import understand


def request(command, amount=None, ref="R1", **fields):
    return understand(json.dumps({"Command": command, "RefID": ref, **({"Amount": amount} if amount else {}),
                                  **fields}).encode())


def closed(batch):
    return json.loads(batch.answer(request("CloseBatch")))


def test_what_was_approved_is_summed_up_by_side_and_begins_anew():
    batch = Batch()
    for command, amount, approved in (("Sale", "10.00", True), ("Sale", "5.05", False), ("Refund", "2.50", True),
                                      ("Auth", "99.00", True), ("GiftSale", "3.00", True), ("Sale", "x", True)):
        batch.ran(request(command, amount), approved, b"")
    first = closed(batch)
    assert (first["TransCntCredit"], first["AmtCredit"], first["BatchNumCredit"]) == (2, 7.5, "001")
    assert (first["TransCntGift"], first["AmtGift"], first["ResultCodeGift"]) == (1, 3.0, 1)
    again = closed(batch)
    assert (again["TransCntCredit"], again["BatchNumCredit"]) == (0, "002")


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1e999999", 1e400, "-5"])
def test_what_is_no_sum_of_money_is_not_summed_up(amount):
    batch = Batch()
    for each in (amount, "1.00"):
        batch.ran(request("Sale", each), True, b"")
    first = closed(batch)
    assert (first["TransCntCredit"], first["AmtCredit"]) == (1, 1.0)


@pytest.mark.parametrize("kind, length, typed", [
    ("n", "9" * 5000, "1234567890" * 10),
    ("n", "5", "12345"), ("a", "3", "CUS"), ("an", "4", "A1B2"), ("c", "9", "1"), ("?", "x", "A1B2C3D4E5")])
def test_a_customer_types(kind, length, typed):
    answer = json.loads(Batch().answer(request("GetUserInput", Type=kind, MaxLength=length)))
    assert answer["UserInput"] == typed


def test_an_inquiry_gets_the_answer_of_then():
    batch = Batch()
    batch.ran(request("Sale", "1.00", "A"), True, b'{"AuthCode":"1"}')
    assert batch.answer(request("Status", ref="A")) == b'{"AuthCode":"1"}'
    assert json.loads(batch.answer(request("Status", ref="B")))["ResultCode"] == "Unknown"
    assert batch.answer(request("Sale", "1.00")) is None
