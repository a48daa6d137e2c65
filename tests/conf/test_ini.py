import configparser

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.conf import ini
from econduit_terminal.conf.ini import Entry


def test_what_is_read_and_where_it_stood():
    parsed = ini.parse(b"\xef\xbb\xbf# top\r\n[a]\r\n; note\nx = 1 ; 100%\n\n  \t\n[b]\ny==z\nempty =\nz=\t[1] \n")
    assert parsed.entries == (Entry("a", "x", "1 ; 100%", 4), Entry("b", "y", "=z", 8), Entry("b", "empty", "", 9),
                              Entry("b", "z", "[1]", 10))
    assert parsed.sections == (("a", 2), ("b", 7))
    assert parsed.mistakes == ()


@pytest.mark.parametrize("text, line, why", [
    ("x = 1", 1, "before any section"),
    ("[a]\nx", 2, "key = value"),
    ("[a]\nx: 1", 2, "key = value"),
    ("[a]\nhost: a = b", 2, "key = value"),
    ("[a]\n= 1", 2, "key = value"),
    ("[a]\ntwo words = 1", 2, "key = value"),
    ("[a]\nx = 1\n  y = 2", 3, "indented"),
    ("[a]\nx = 1\n\tmore", 3, "indented"),
    ("[a]\nx = 1\nx = 2", 3, "a.x: already set at line 2"),
    ("[a]\n[b]\n[a]", 3, "[a] is already set at line 1"),
    ("[DEFAULT]\nx = 1", 1, "[DEFAULT] is not accepted"),
    ("[default]\nx = 1", 1, "[DEFAULT] is not accepted"),
    ("[a\nx = 1", 1, "not a section"),
    (f"[{'a' * 100_000}]\nx = 1", 1, "not a section"),
    (f"[a]\n{'x' * 100_000} = 1", 2, "key = value"),
    ("[a] # note\nx = 1", 1, "not a section"),
    ("[a]\nx = 1\x00", 2, "U+0000"),
    ("[a]\nx = 1\x04\x04", 2, "U+0004"),
    ("[a]\nx = one\u200b", 2, "U+200B"),
    ("[a]\nx =\u00a01", 2, "U+00A0"),
    ("[a]\nx = 1\ry = 2", 2, "U+000D"),
])
def test_each_mistake_has_its_line_and_comes_alone(text, line, why):
    (where, what), = ini.parse(text.encode()).mistakes
    assert where == line and len(what) < 200
    assert why in what and "accepted" in what


def test_bytes_that_are_no_utf8_cost_only_their_line():
    parsed = ini.parse(b"[a]\nx = \xff\ny = 2\n")
    assert parsed.mistakes == ((2, "the line is not UTF-8 text, accepted: UTF-8"),)
    assert parsed.entries == (Entry("a", "y", "2", 3),)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be"])
def test_a_file_of_windows_notepad_is_named_for_what_it_is(codec):
    data = "[a]\nx = 1".encode(codec)
    data = data if data.startswith(b"\xff\xfe") else b"\xfe\xff" + data
    assert ini.parse(data).mistakes == ((1, "the file is UTF-16, accepted: UTF-8"),)


@given(st.binary(max_size=300) | st.text(alphabet="[]=ab#; \t\r\n:%\x00ü", max_size=80).map(str.encode))
def test_any_bytes_can_be_read(data):
    parsed = ini.parse(data)
    assert all(1 <= line <= data.count(b"\n") + 1 for line, _ in parsed.mistakes)


NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "default")
VALUE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]) | st.just(" "),
                max_size=20).map(str.strip)


@given(st.dictionaries(NAME, st.dictionaries(NAME, VALUE, max_size=4), max_size=4))
def test_well_formed_files_mean_what_they_mean_to_configparser(sections):
    text = "".join(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                   for section, keys in sections.items())
    reference = configparser.ConfigParser(interpolation=None, delimiters="=")
    reference.read_string(text)
    parsed = ini.parse(text.encode())
    assert parsed.mistakes == ()
    assert {(entry.section, entry.key): entry.value for entry in parsed.entries} == {
        (section, key): value for section in reference.sections() for key, value in reference.items(section)}
