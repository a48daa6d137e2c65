"""What the scenes of a cloud work with."""
import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from econduit_terminal.sandbox.certify.cloud_exam import Called, CloudExam, Refused, without_secrets
from econduit_terminal.sandbox.certify.cloud_link import Terminal
from econduit_terminal.sandbox.certify.exam import DeviceGone
from econduit_terminal.sandbox.certify.table.model import Profile


def exam(url="", port=1):
    return CloudExam([("127.0.0.1", port)], Terminal("T", "29531204"), url, "X", Profile.QUICK)


@pytest.mark.parametrize("url, path, more", [
    ("http://h:1", "/services/api.asmx/runTransaction", {}), ("http://h/", "/services/api.asmx/runTransaction", {}),
    ("http://h/services/api.asmx/runTransaction?key=K&refID=old&terminalId=x&amount=1.00",
    "/services/api.asmx/runTransaction",
     {"key": ["K"], "amount": ["1.00"]}),
    ("https://h/base/services/api.asmx/runTransaction2?command=sale", "/base/services/api.asmx/runTransaction2", {})])
def test_the_url_of_a_sale(url, path, more):
    parts = urlsplit(exam(url).call_url("R1"))
    query = parse_qs(parts.query)
    assert parts.path == path and query["refID"] == ["R1"] and query["terminalId"] == ["29531204"]
    assert more.items() <= query.items()
    assert parse_qs(urlsplit(exam(url).call_url("R1", terminal="7")).query)["terminalId"] == ["7"]
    assert urlsplit(exam(url).call_url("R1", "checkStatus")).path.endswith("/services/api.asmx/checkStatus")


def test_a_merchant_s_credentials_are_in_no_report():
    cloud = exam("http://h/services/api.asmx/runTransaction?key=K1&Password=P%261&amount=1.00")
    url = cloud.call_url("R1")
    assert "K1" in url and "P%261" in url, "the cloud is told"
    for public in (without_secrets(url), without_secrets(cloud.url)):
        assert "K1" not in public and "P%261" not in public and "amount=1.00" in public


@pytest.mark.parametrize("body, approved", [(b'{"ResultCode":"Approved"}', True), (b'{"resultcode":"APPROVED"}', True),
                                            (b'{"ResultCode":"Failed"}', False), (b"[]", False), (b"", False)])
def test_what_the_caller_was_told(body, approved):
    assert Called(200, body).approved is approved


def test_a_cloud_that_refuses_a_right_registration():
    async def play():
        async def serve(reader, writer):
            await reader.readuntil(b"\x04\x04")
            writer.write(b"FAILED-REGISTRATION\x04\x04")
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        subject = exam(port=server.sockets[0].getsockname()[1])
        with pytest.raises(Refused, match="FAILED-REGISTRATION"):
            await subject.registered()
        assert len(subject.answers) == 1
        await subject.settle()
        server.close()
    asyncio.run(asyncio.wait_for(play(), 20))


def test_nobody_there(monkeypatch):
    monkeypatch.setattr("econduit_terminal.sandbox.certify.cloud_exam.CONNECT", 0.3)
    with pytest.raises(DeviceGone):
        asyncio.run(exam().connect())
