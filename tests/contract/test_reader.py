"""JSON read field by field: defaults, limits, and errors that name the field."""
import pytest

from econduit_terminal.contract.reader import MAX_ITEMS, ContractError, Reader, parse_object


def read(**given):
    return Reader(given, "a.")


def test_what_is_missing_or_null_gets_its_default():
    for said in (read(), read(x=None)):
        assert (said.text("x"), said.optional("x")) == ("", None)
        assert (said.flag("x", True), said.optional_flag("x")) == (True, None)
        assert (said.number("x"), said.whole("x", 3), said.texts("x"), said.object("x")) == (None, 3, (), {})
        assert said.objects("x", lambda inner: inner) == () and said.mapping("x", Reader.text) == {}
        assert said.one_of("x", {"one": 1}, 9) == 9


def test_what_is_said_comes_through():
    said = read(x="one", y=1.5, z=["a", "b"], o=[{"n": "c"}], m={"k": "v"})
    assert said.one_of("x", {"one": 1}, 9) == 1 and said.number("y") == 1.5 and said.whole("y", 0) == 1
    assert said.texts("z") == ("a", "b") and said.objects("o", lambda inner: inner.text("n")) == ("c",)
    assert said.mapping("m", Reader.text) == {"k": "v"}


@pytest.mark.parametrize("ask, value, said", [
    (lambda r: r.text("x"), 1, "a.x: a number, expected text"),
    (lambda r: r.flag("x", True), 1, "a.x: a number, expected true or false"),
    (lambda r: r.number("x"), True, "a.x: true or false, expected a number"),
    (lambda r: r.number("x"), float("nan"), "a.x: nan, expected a finite number"),
    (lambda r: r.whole("x", 0), 10**400, "a.x: more digits than a number may have"),
    (lambda r: r.texts("x"), ["a", 1], "a.x: holds a number, expected text only"),
    (lambda r: r.texts("x"), ["a"] * (MAX_ITEMS + 1), f"a.x: {MAX_ITEMS + 1} entries, expected {MAX_ITEMS} at most"),
    (lambda r: r.objects("x", lambda inner: inner.text("n")), [{"n": "c"}, {"n": 1}], r"a.x[1].n: a number"),
    (lambda r: r.objects("x", lambda inner: inner), [1], "a.x[0]: a number, expected an object"),
    (lambda r: r.mapping("x", Reader.text), {"k": 1}, "a.x.k: a number, expected text"),
    (lambda r: r.one_of("x", {"one": 1}, 9), "two", "a.x: 'two', expected one of one"),
])
def test_errors_name_the_field_and_what_is_expected(ask, value, said):
    with pytest.raises(ContractError) as error:
        ask(read(x=value))
    assert said in str(error.value)


def test_an_empty_body_is_an_empty_object():
    assert parse_object(b" \n") == {}
