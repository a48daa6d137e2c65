import json
import xml.etree.ElementTree as tree

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.agent.transactions.failure import failure_answer
from econduit_terminal.conf.settings import load

anything = st.text()
JSON = load(None).transactions.failure_answer
XML = '<Answer code="{Command}"><Ref>{RefID}</Ref><Text>{reason}</Text><T>{TerminalID}</T></Answer>'


@given(anything, anything, anything, anything)
def test_the_shipped_template_stays_json_whatever_the_values(reason, ref, command, terminal):
    answer = failure_answer(JSON, reason=reason, RefID=ref, Command=command, TerminalID=terminal)
    assert b"\x04" not in answer
    assert json.loads(answer) == {"TerminalID": terminal, "ResultCode": "Failed", "TransType": command,
                                  "Message": reason, "RefID": ref}


@given(anything, anything, anything, anything)
def test_xml_stays_xml(reason, ref, command, terminal):
    answer = failure_answer(XML, reason=reason, RefID=ref, Command=command, TerminalID=terminal)
    assert b"\x04" not in answer
    root = tree.fromstring(answer)
    assert [child.tag for child in root] == ["Ref", "Text", "T"]


@given(st.text(), anything)
def test_never_raises_and_never_holds_a_value_s_eot(template, reason):
    answer = failure_answer(template.replace("\x04", ""), reason=reason)
    assert b"\x04" not in answer


@pytest.mark.parametrize("template, answer", [
    ("{reason}|{RefID}|{Unknown}|{}", b"{RefID} broke|7|{Unknown}|{}"),     # values are not looked into again
    ("ERR {Command}{TerminalID}", b"ERR "),
    ("{{reason}}", b"{{RefID} broke}"),
    (" <a>{reason}</a>", b" <a>{RefID} broke</a>"),
])
def test_templates(template, answer):
    assert failure_answer(template, reason="{RefID} broke", RefID="7") == answer


def test_xml_escapes():
    assert failure_answer("<a b='{reason}'/>", reason="<&'\">\x04\x00") == b"<a b='&lt;&amp;&apos;&quot;&gt;'/>"
