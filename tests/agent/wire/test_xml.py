"""The scanner beside expat, on generated documents and on mutations of them."""
from contextlib import suppress
from xml.parsers import expat

import pytest
from hypothesis import given, strategies as st
from scanning import end

from econduit_terminal.agent.wire.xml import XmlScanner


def expat_end(document):
    """Where expat sees the root end; None where it finds a mistake before."""
    found = []
    depth = 0
    parser = expat.ParserCreate()

    def start(*_):
        nonlocal depth
        depth += 1

    def stop(*_):
        nonlocal depth
        depth -= 1
        if not depth:
            found.append(parser.CurrentByteIndex)
    parser.StartElementHandler, parser.EndElementHandler = start, stop
    with suppress(expat.ExpatError, LookupError, ValueError):      # an encoding that nobody knows
        parser.Parse(document, True)
    return found[0] if found else None


spaces = st.sampled_from(["", " ", "\r\n", "\t "])
gaps = st.sampled_from([" ", "\r\n", "\t "])
names = st.sampled_from(["a", "B", "x:y", "_z-1.2", "été", "aa"])
comments = st.sampled_from(["<!-- a > b </a> -->", "<!---->", "<!-- - -->", "<!-- ' ]]> -->"])
instructions = st.sampled_from(["<?p?>", "<?p >'</a>?>", "<?xml-stylesheet href='a'?>", "<?p ? > ?>"])
values_ = st.sampled_from(["'>'", '"/>"', "\"'\"", "'\"'", "''", "'/a>'", "'a=b'"])


@st.composite
def tags(draw):
    name = draw(names)
    attributes = "".join(f"{draw(gaps)}b{n}{draw(spaces)}={draw(spaces)}{draw(values_)}"
                         for n in range(draw(st.integers(0, 3))))
    return name, f"<{name}{attributes}{draw(spaces)}"


@st.composite
def elements(draw, children):
    name, tag = draw(tags())
    if draw(st.booleans()):
        return tag + "/>"
    inner = "".join(draw(st.lists(children, max_size=4)))
    return f"{tag}>{inner}</{name}{draw(spaces)}>"


leaves = (comments | instructions
          | st.sampled_from(["text", "é", ">", "'", '"', "]", "&amp;", "<![CDATA[</a>]]>", "<![CDATA[]]>",
          "<![CDATA[]]]]>"]))
elements_ = elements(st.recursive(leaves, elements, max_leaves=8))
misc = st.lists(comments | instructions | gaps, max_size=3).map("".join)
doctypes = st.sampled_from([
    "", "<!DOCTYPE a>", "<!DOCTYPE a SYSTEM 'x>y'>", "<!DOCTYPE a PUBLIC \"-//x\" 'y[z]'>", "<!DOCTYPE a []>",
    "<!DOCTYPE a [ <!-- ]> ' --> <?p ]> ' ?> <!ELEMENT a ANY> ] >",
    "<!DOCTYPE a [<!ENTITY e \"]><a>'\"><!ENTITY f ']>'><!ATTLIST a b CDATA '>'>]>",
    "<!DOCTYPE a [<!NOTATION n SYSTEM \"]'\"><!ENTITY % p ''>%p;]>"])
declarations = st.sampled_from(["", "<?xml version='1.0'?>",
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'])
documents = st.tuples(declarations, misc, doctypes, misc, elements_).map("".join)


@given(documents, misc, st.integers(1, 7))
def test_xml_ends_where_expat_says(document, behind, step):
    data = document.encode()
    assert expat_end(data + behind.encode()) is not None
    assert end(XmlScanner(0), data + behind.encode() + b"<next/>", step) == len(data)
    assert end(XmlScanner(0), data[:-1], step) is None


@given(documents, st.data())
def test_what_expat_takes_after_a_mutation_ends_at_the_same_place(document, data):
    """Leniency never means another end: where expat still finds the root's, so does the scanner."""
    document = bytearray(document.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(document)))
        document[at:at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(
            [b"", b"<", b">", b"/", b"'", b'"', b"-", b"!", b"?", b"]", b"[", b"a", b" ", b"=", b"&"]))
    document = bytes(document)
    begin = len(document) - len(document.lstrip())
    if document[begin:begin + 1] != b"<" or (expected := expat_end(document)) is None:
        return
    found = end(XmlScanner(0), document, 3)
    # expat stands at the beginning of the closing tag, or behind a tag that closes itself
    assert found is not None and found >= expected and document[expected:found].count(b"<") <= 1


@pytest.mark.parametrize("document", [
    b"<a></b>", b"<a><b></a>", b"<a><b></a></b>", b"</a>", b"<1>", b"< a>", b"<>", b"<a b>", b"<a b=c>", b"<a 'b'>",
    b"<a/ >",
    b"<a/b>", b"<a><!b></a>", b"<!doctype html>", b"<![CDATA[x]]><a/>", b"<a><!DOCTYPE a></a>",
    b"<!DOCTYPE a><!DOCTYPE a><a/>",
    b"<!DOCTYPE a [<b>]><a/>", b"<?p?>text<a/>", b"<\x00a\x00>\x00", b"<a\x00>", b"<a></a b>", b"<a></ a>", b"<a =''>"])
@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_no_xml(document, step):
    assert end(XmlScanner(0), document + b"<x/>", step) == -1


@pytest.mark.parametrize("document", [
    b"<a>1 & 2</a>", b"<a b='<'/>", b"<a b='1'c='2'/>", b"<a b='1' b='2'/>", b"<a>]]></a>", b"<a>&undefined;</a>",
    b"<a>\x04\x01</a>",
    b"<a>Caf\xe9</a>", b"<caf\xe9></caf\xe9>", b"<a><!-- -- --></a>"])
@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_not_well_formed_but_has_an_end(document, step):
    assert end(XmlScanner(0), document + b"<x/>", step) == len(document)
