import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.transactions.declined import declined


@pytest.mark.parametrize("answer", [
    b'{"ResultCode":"Declined","Message":"DECLINED","RefID":"1"}', b'{"resultcode":"DECLINED"}',
    b'{"Result":"Declined - 05"}',
    b'{"Response":{"ResultCode":"Declined"}}', b'{"ResultCode":"1","Message":"Void declined: unknown transaction"}',
    b'{"ResultCode":"Denied"}', b'{"ResultCode":"Rejected"}', b'{"ResultCode":"Refused"}',
    b'{"ResultCode":"Not approved"}',
    b'{"Result_Code":"NOT AUTHORIZED"}', b'{"ResultCode":"Not_Approved"}', b'{"ResultCode":"NOT-APPROVED"}',
    b"<r><ResultCode><![CDATA[Declined]]></ResultCode></r>", b"<r><Message>\n<![CDATA[ DECLINED ]]>\n</Message></r>",
    b'{"ResultCode":"DECLINED","Status":"OK"}', b'[{"ResultCode":"Declined"}]',
    b'\xef\xbb\xbf{"ResultCode":"Declined"}', b'{"ResultCode":"Declined"}\x04',
    b'{"Message":"Declined","Status":"complete"}',
    b"<response><ResultCode>Declined</ResultCode></response>",
    b"<r><Message>Declined</Message><ResultCode>1</ResultCode></r>",
    b'<response ResultCode="Declined" Message="x"/>', b"<x:r><x:RespMSG lang='en'>DECLINE</x:RespMSG></x:r>",
    b"\x020\x1cT17\x1c1.28\x1c000100\x1cDECLINE\x03x", b"DECLINED 05", b"\r\nVOID DECLINED\r\n", b"Not approved",
])
def test_what_clearly_says_so(answer):
    assert declined(answer)


@pytest.mark.parametrize("answer", [
    b'{"ResultCode":"Approved","Message":"APPROVED"}', b'{"ResultCode":"Approved","Message":"previously declined"}',
    b'{"ResultCode":"Failed","Message":"terminal interrupted"}', b'{"ResultCode":"Error"}', b'{"ResultCode":"Timeout"}',
    b'{"ResultCode":"0","Message":"Declined"}', b'{"ResultCode":"00"}', b"{}", b"[]", b"", b"null",
    b'{"ResultCode":"05"}',
    b'{"ResultCode":"OK","Message":"DECLINED"}', b'{"Note":"declined"}', b'{"ResultCode":null,"Message":7}',
    b'{"ResultCode":"Decl',
    b"<response><ResultCode>Approved</ResultCode></response>",
    b"<r><ResultCode>0</ResultCode><Message>Declined</Message></r>",
    b"<r><Note>declined</Note></r>", b"<r><ResultCode><![CDATA[Approved]]></ResultCode><Message>Declined</Message></r>",
    b"<r><ResultCode>\n 000 </ResultCode><Message>Declined</Message></r>",
    b"<r>declined", b"\x020\x1cT17\x1c1.28\x1c000000\x1cOK\x03x", b"APPROVED 123",
    b"VOIDED",
    b"APPROVED\nnot declined", b"APPROVED, not declined",
    b'{"ResultCode":"Approved","Message":"was declined"} and more',
    b"\x020\x1cT17\x1c1.28\x1c100001\x1cTIMEOUT\x03x", bytes(range(256)),
])
def test_everything_else_may_have_happened(answer):
    assert not declined(answer)


@given(st.binary())
def test_any_bytes(answer):
    assert declined(answer) in (True, False)


@pytest.mark.parametrize("pattern", [b"<Message", b"<Message>", b"< a=", b" Message='", b'{"a":', b"[", b'["x"],',
                                     b"declined ", b"\x1c0"])
def test_time_is_linear(pattern):
    for start in (b"", b"<r>", b'{"ResultCode":['):
        body = start + (pattern * ((1 << 20) // len(pattern) + 1))[:1 << 20]
        began = time.process_time()
        declined(body)
        assert time.process_time() - began < 2
