"""Lines of keys, and every syntax error: pure."""
import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.certify.toml_lines import Mistake, lines_of, read

TEXT = """# a comment
top = 1
[device]
  terminal_id = "1"   # = no key
"quoted" = "x"
[ display ]
url = "a=b"
"""


def test_where_keys_stand():
    assert lines_of(TEXT) == {"top": 2, "device": 3, "device.terminal_id": 4, "device.quoted": 5, "display": 6,
    "display.url": 7}


@pytest.mark.parametrize("text, mistakes", [
    ("a = 1\n", []), ("", []), ("[t]\na = \nb = 2\nc = = 3\n", [(2, "t.a"), (4, "t.c")]), ("[t\na = 1\n", [(1, "")]),
    ("[t]\na = 1\na = 2\n", [(3, "t.a")]), ("x = 'open\n", [(1, "x")]), ("[t]\nterminal_id 5\n", [(2,
    "t.terminal_id 5")]),
    ("[t]\na = \"x", [(2, "t.a")]), ("a = nope", [(1, "a")]), ("[a]\n[a]\n", [(2, "")]),
])
def test_every_syntax_error_with_its_line(text, mistakes):
    assert [(mistake.line, mistake.key) for mistake in read(text)[1]] == mistakes


def test_what_is_right_is_read_all_the_same():
    found, mistakes = read("[t]\na = 1\nb = \nc = 3\n")
    assert found == {"t": {"a": 1, "c": 3}} and len(mistakes) == 1
    assert Mistake(3, "t.b", "words").show("f.toml") == "f.toml:3: t.b: words"


def test_what_is_nested_without_end_is_a_mistake_like_any_other():
    found, mistakes = read("a = nope\nb = " + "[" * 3000)
    assert found == {} and [mistake.line for mistake in mistakes][:1] == [1] and "too deeply" in mistakes[-1].text


@given(st.text(max_size=80))
def test_it_never_raises_and_always_ends(text):
    read(text)
    lines_of(text)
