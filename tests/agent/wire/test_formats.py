"""The scanners beside the parsers of the standard library, on generated documents."""
import functools
import json
import operator

from hypothesis import given, strategies as st
from scanning import end

from econduit_terminal.agent.wire.formats import JsonScanner, StxScanner, bare, lrc


@given(st.binary(min_size=1))
def test_lrc_is_the_xor_of_all_bytes(data):
    assert lrc(data) == functools.reduce(operator.xor, data)


def test_bare():
    assert bare(b" \r\n\xef\xbb\xbf\t{} ") == b"{}" and bare(b"") == b"" and bare(b"\xef\xbb") == b"\xef\xbb"
    assert bare(b"\x04\xef\xbb\xbf\xef\xbb\xbf x\xef\xbb\xbf\x04 ") == b"x\xef\xbb\xbf"


# -- JSON --------------------------------------------------------------------------------------------------------------

values = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                      lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(st.lists(values) | st.dictionaries(st.text(), values), st.sampled_from([None, 0, 2]), st.booleans(), st.binary(),
       st.integers(1, 5))
def test_json_ends_where_json_says(value, indent, ascii_, rest, step):
    document = json.dumps(value, indent=indent, ensure_ascii=ascii_).encode()
    assert end(JsonScanner(0), document + rest, step) == len(document)
    assert end(JsonScanner(0), document[:-1], step) is None


@given(st.lists(st.sampled_from('{}[]",:1 \\ntrue')).map("".join), st.integers(1, 5))
def test_what_json_does_not_take_is_malformed(text, step):
    document = "[" + text
    try:
        expected = json.JSONDecoder().raw_decode(document)[1]
    except ValueError:
        expected = None
    found = end(JsonScanner(0), document.encode(), step)
    assert found == expected if expected else found in (None, -1)


# -- STX ---------------------------------------------------------------------------------------------------------------

@given(st.binary().map(lambda content: content.replace(b"\x03", b"")), st.binary(), st.integers(0, 255),
       st.integers(1, 5))
def test_stx_ends_with_the_right_lrc(content, rest, wrong, step):
    right = lrc(content + b"\x03")
    head = b"\x02" + content + b"\x03"
    assert end(StxScanner(0), head + bytes((right,)) + rest, step) == len(head) + 1
    assert end(StxScanner(0), head, step) is None
    if wrong != right:
        assert end(StxScanner(0), head + bytes((wrong,)) + rest, step) == -1
