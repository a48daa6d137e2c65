"""The payment application of a load."""
import json

from econduit_terminal.sandbox.fleet.load.application import Application

SALE = b'{"Command":"Sale","Amount":"2.50","RefID":"R1","TerminalID":"L1"}'


def test_it_takes_its_time_and_approves():
    application = Application(2.0)
    assert application.take(SALE, 10.0) is None and application.busy
    assert application.answer(11.9) is None
    answer = json.loads(application.answer(12.0) or b"")
    assert (answer["ResultCode"], answer["RefID"], answer["TransType"]) == ("Approved", "R1", "Sale")
    assert not application.busy and application.answer(99.0) is None


def test_who_asks_meanwhile_is_told_that_it_is_busy():
    application = Application(2.0)
    application.take(SALE, 10.0)
    said = json.loads(application.take(SALE.replace(b"R1", b"R2"), 11.0) or b"")
    assert (said["ResultCode"], said["Message"], said["RefID"]) == ("Failed", "Terminal Is Busy", "R2")
    assert json.loads(application.answer(12.0) or b"")["RefID"] == "R1"
