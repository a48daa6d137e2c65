"""The two names that are looked up in a request."""
import time

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.wire.lookup import Peek, peek


@pytest.mark.parametrize("request_, expected", [
    (b'{"Command":"Sale","RefID":"1234"}', Peek("1234", "Sale")),
    (b'\xef\xbb\xbf{"Command":"Sale","RefID":"1234"}', Peek("1234", "Sale")),
    (b'{"command":"Void","REFID":1234}', Peek("1234", "Void")),
    (b'{"refId":"a","RefID":"b"}', Peek("a", None)),
    (b'{"RefID":"","Command":"","refId":"5","command":"Void"}', Peek("5", "Void")), (b'{"RefID":" "}', Peek()),
    (b'{"RefID":""}', Peek()), (b'{"RefID":null,"Command":["Sale"]}', Peek()), (b'{"RefID":true}', Peek()),
    (b'{"Inner":{"RefID":"1"}}', Peek()), (b'[{"RefID":"1"}]', Peek()),
    (b'{"RefID":' + b"9" * 5000 + b"}", Peek("9" * 5000, None)), (b"[" * 100_000, Peek()), (b"", Peek()),
    (b'{"a":{"RefID":"0","b":"}]"},"RefID":"1","c":' + b"[" * 50_000 + b"]" * 50_000 + b',"Command":"Sale"}',
     Peek("1", "Sale")),
    (b'{"RefID":"1","c":' + b'[{"d":' * 50_000 + b"1" + b"}]" * 50_000 + b"}", Peek("1")),
    (b'{"RefID":"1","c":' + b"[" * 50_000, Peek()), (b'{"a":' + b"[" * 5000 + b'"' + b'\\"' * 100_000, Peek()),
    (b'{"a' + b'\\"' * 100_000 + b"\\", Peek()),
    (b'{"RefID":"1","Command":" Void\\r\\n"}', Peek("1", "Void")), (b'{"RefID":"1","Command":"\\t"}', Peek("1")),
    (b"RefID=1", Peek())])
def test_json(request_, expected):
    assert peek(request_) == expected


@pytest.mark.parametrize("request_, expected", [
    (b"<request><TransType>Sale</TransType><Amount>2.50</Amount><RefId>1</RefId></request>", Peek("1", "Sale")),
    (b"<?xml version='1.0'?>\r\n<a><b><REFID> 7 </REFID></b><command>Void</command></a>", Peek("7", "Void")),
    (b"\xef\xbb\xbf\r\n<a><x:RefId xmlns:x='y'>7</x:RefId></a>", Peek("7")),
    (b"<request RefId='5' transtype=\"Sale\"/>", Peek("5", "Sale")),
    (b"<a><sale refid = '5'/><RefId>6</RefId></a>", Peek("5")),
    (b"<a><RefId>6</RefId><sale refid='5'/></a>", Peek("6")),
    (b"<a><Command>Sale</Command><TransType>Void</TransType></a>", Peek(None, "Sale")),
    (b"<a><RefId/><RefId></RefId><RefId>3</RefId></a>", Peek("3")),
    (b"<RefId>1</RefId>", Peek()),                                          # the root itself
    (b"<a><!-- <RefId>1</RefId> --><RefId>2</RefId></a>", Peek("2")),
    (b"<a><![CDATA[<RefId>1</RefId>]]><RefId><![CDATA[a&b]]></RefId></a>", Peek("a&b")),
    (b"<a><RefId>a&amp;b<!-- x -->&#65;<i>c</i></RefId></a>", Peek("a&bAc")),
    (b"<sale RefId='5' Note='1 > 0'/>", Peek("5")), (b"<a><b RefId='1>2' /><c/></a>", Peek("1>2")),
    (b"<a><b RefId='5' c='>'>x</b><d/></a>", Peek("5")),
    (b"<a m='x > <RefId>1</RefId>'><RefId>2</RefId></a>", Peek("2")),
    (b"<!DOCTYPE a [<!ENTITY r '<RefId>1</RefId>'>]><a>&r;<RefId>2</RefId></a>", Peek("2")),
    (b"<a><n>Caf\xe9 & Bar</n><RefId>2</RefId></a>", Peek("2")),            # neither well-formed nor UTF-8
    ("<a><RefId>Café</RefId></a>".encode("latin-1"), Peek("Café")),
    (b"<a><RefId>2</RefId></b></a>", Peek("2")), (b"<a><RefId>2</RefId", Peek()), (b"<a>", Peek()), (b"<", Peek()),
    ("<a><RefId>2</RefId></a>".encode("utf-16"), Peek("2")), ("<a><RefId>2</RefId></a>".encode("utf-16-be"), Peek("2")),
    (b"<a>" * 50_000 + b"<RefId>2</RefId>", Peek("2")),
    (b"<a><RefId>&#" + b"1" * 5000 + b";</RefId></a>", Peek("&#" + "1" * 5000 + ";")),     # more than int() takes
    (b"<a RefId='&#" + b"1" * 5000 + b";'/>", Peek("&#" + "1" * 5000 + ";")),
    (b"<a><RefId><b c='>' d=\"'<!-- >\"/>2</RefId></a>", Peek("2"))])
def test_xml(request_, expected):
    assert peek(request_) == expected


@pytest.mark.parametrize("head, pattern, tail", [
    (b"<", b"b", b"><RefId>2</RefId>"), (b"<", b"b", b" c='1'/>"),
    (b"<a><RefId><b c='>", b"<!-- >", b"'/>2</RefId></a>"),
    (b"<a><RefId><b c='>", b"<? >", b"'/>2</RefId></a>"), (b"<a><RefId><b c='>", b"<![CDATA[ >", b"'/>2</RefId></a>"),
    (b"", b"\xef\xbb\xbf", b"<a><RefId>2</RefId></a>"), (b"", b"\xef\xbb\xbf ", b"<a><RefId>2</RefId></a>")])
def test_m15_time_is_linear(head, pattern, tail):
    began = time.process_time()
    peek(head + pattern * ((1 << 20) // len(pattern)) + tail)
    assert time.process_time() - began < 1.0


SALE = b"\x02T00\x1c1.28\x1c01\x1c250\x1c\x1c 1234 \x1c\x03\x55"


@pytest.mark.parametrize("request_, field, expected", [
    (SALE, None, Peek()), (SALE, 6, Peek("1234")), (SALE, 1, Peek("T00")), (SALE, 5, Peek()), (SALE, 8, Peek()),
    (b"\r\n" + SALE, 6, Peek("1234")), (b"\x02a\x1cb\xe9", 2, Peek("bé")), (b"\x02", 1, Peek()),
    (b"T00\x1c1", 2, Peek())])
def test_stx(request_, field, expected):
    assert peek(request_, field) == expected


@given(st.binary() | st.lists(st.sampled_from([b"<a>", b"</a>", b"<RefId", b">", b"='", b"<!--", b"\x02", b"\x1c",
                                               b"{", b"&#x110000;", b"\xff\xfe", b"<\0", b"<![CDATA["])).map(b"".join),
       st.integers(1, 9))
def test_no_request_raises(request_, field):
    assert isinstance(peek(request_, field), Peek)
