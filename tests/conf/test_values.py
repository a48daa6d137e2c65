import contextlib

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.conf import values
from econduit_terminal.conf.schema import SECTIONS
from econduit_terminal.conf.values import Application, Endpoint


def rejected(kind, text):
    with pytest.raises(ValueError) as caught:
        kind.parse(text) if isinstance(kind, values.Kind) else kind(text)
    return str(caught.value)


@pytest.mark.parametrize("text, seconds", [
    ("250ms", 0.25), ("5s", 5), ("2min", 120), ("24h", 86400), ("7d", 604800), ("0s", 0), ("0.5s", 0.5),
    ("1.25 min", 75),
    ("50 ms", 0.05), ("007s", 7),
])
def test_durations(text, seconds):
    assert values.parse_duration(text) == seconds


@pytest.mark.parametrize("text, why", [
    ("", "unit"), ("5", "no unit"), ("s", "number"), ("-5s", "number"), ("+5s", "number"), ("1_000s", "number"),
    ("inf", "number"), ("infs", "number"), ("nan", "number"), ("1e3s", "number"), ("5 sec", "'sec' is not a unit"),
    ("5S", "'S' is not a unit"), ("5m", "'m' is not a unit"), ("0x5s", "number"), ("٥s", "number"),
    ("5s 3ms", "number"),
    (".5s", "number"), ("5.s", "number"), ("5s\n", "number"), ("9" * 400 + "s", "number"),
])
def test_what_is_no_duration(text, why):
    assert why in rejected(values.parse_duration, text)


@given(st.integers(0, 10**9))
def test_a_duration_shown_is_read_as_the_same(milliseconds):
    assert values.parse_duration(values.show_duration(milliseconds / 1000)) == milliseconds / 1000


def test_durations_have_bounds():
    kind = values.duration("50ms", "1h")
    assert kind.parse("50ms") == 0.05 and kind.parse("60min") == 3600
    assert "too small" in rejected(kind, "49ms")
    assert "too large" in rejected(kind, "3601s")
    assert "whole number of seconds" in rejected(values.duration("1s", "1h", whole=True), "1500ms")
    assert values.duration("1s", "1h", whole=True).parse("2000ms") == 2


def test_sizes():
    kind = values.size("64B", "16MiB")
    assert [kind.parse(text) for text in ("64B", "1KiB", "1.5KiB", "16MiB")] == [64, 1024, 1536, 16 * 1024 * 1024]
    assert "too large" in rejected(kind, "17MiB")
    assert "'MB' is not a unit" in rejected(kind, "1MB")
    assert "no unit" in rejected(kind, "65536")
    assert "whole number of bytes" in rejected(kind, "64.5B")


def test_whole_numbers():
    kind = values.whole(0, 100)
    assert kind.parse("0") == 0 and kind.parse("100") == 100
    for text in ("", "1_0", "1.0", "ten", "0x1", "٥", " 1", "inf", "1e1", "9" * 5000):
        assert "not a whole number" in rejected(kind, text)
    assert "too small" in rejected(kind, "-1")
    assert "too large" in rejected(kind, "101")


@pytest.mark.parametrize("text, host, port", [
    ("dc.econduitapp.com:80", "dc.econduitapp.com", 80), ("192.0.2.1:65535", "192.0.2.1", 65535),
    ("[2001:db8::1]:1", "2001:db8::1", 1), ("[::ffff:192.0.2.1]:9001", "::ffff:c000:201", 9001),
    ("localhost:9001", "localhost", 9001), ("host.:9001", "host.", 9001), ("my_host:9001", "my_host", 9001),
    ("xn--bcher-kva.example:80", "xn--bcher-kva.example", 80), ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
])
def test_endpoints(text, host, port):
    assert values.parse_endpoint(text) == Endpoint(host, port)


@pytest.mark.parametrize("text, why", [
    ("", "no host and port"), ("host", "has no port"), ("host:", "not a port"), (":80", "has no port"),
    ("host:0", "not a port"), ("host:65536", "not a port"), ("host:8_0", "not a port"), ("host:http", "not a port"),
    ("host:-1", "not a port"), ("host:٨٠", "not a port"), ("https://host:80", "leave out https://"),
    ("2001:db8::1:80", "brackets"), ("[2001:db8::1]", "has no port"), ("[host]:80", "not an IPv6 address"),
    ("1.2.3:80", "not an IPv4 address"), ("256.1.1.1:80", "not an IPv4 address"),
    ("010.1.1.1:80", "not an IPv4 address"),
    ("a..b:80", "host"), ("-a:80", "host"), ("a b:80", "host"), ("bücher.example:80", "xn--"), ("a/b:80", "host"),
    ("x" * 64 + ":80", "host"), ("user@host:80", "host"),
])
def test_what_is_no_endpoint(text, why):
    assert why in rejected(values.parse_endpoint, text)


@given(st.one_of(st.ip_addresses().map(str), st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)),
       st.integers(1, 65535))
def test_an_endpoint_shown_is_read_as_the_same(host, port):
    assert values.parse_endpoint(str(Endpoint(host, port))) == Endpoint(host, port)


@pytest.mark.parametrize("text, application", [
    ("tcp://127.0.0.1:9100", Application("tcp", endpoint=Endpoint("127.0.0.1", 9100))),
    ("unix:///run/pay.sock", Application("unix", path="/run/pay.sock")),
    ("exec:/usr/bin/pay", Application("exec", argv=("/usr/bin/pay",))),
    ("exec:/usr/bin/pay --mode 'two words'", Application("exec", argv=("/usr/bin/pay", "--mode", "two words"))),
])
def test_applications(text, application):
    assert values.parse_application(text) == application
    assert str(application) == text


@pytest.mark.parametrize("text, why", [
    ("", "does not say how"), ("127.0.0.1:9100", "does not say how"), ("http://127.0.0.1:9100", "does not say how"),
    ("tcp://127.0.0.1", "has no port"), ("unix://pay.sock", "not an absolute path"), ("exec:", "no program"),
    ("exec:pay", "not an absolute path"), ("exec:/bin/pay 'open", "told apart"), ("unix:///" + "x" * 107, "too long"),
    ("unix:///" + "ü" * 54, "too long"),
])
def test_what_is_no_application(text, why):
    assert why in rejected(values.parse_application, text)


@pytest.mark.parametrize("text, why", [
    ('"29531204"', "quotes"), ("'29531204'", "quotes"), ("“29531204”", "quotes"), ("x" * 129, "too many"),
    ("29531204 ; serial", "comment"), ("29531204 # serial", "comment"),
])
def test_texts_that_would_be_sent_by_mistake(text, why):
    assert why in rejected(values.text, text)


@pytest.mark.parametrize("text", ["", "Model 1", "Model #5", "Model #", "; taken by 1.0.0",
                                  '17" screen', "%d", "x" * 128, "Škoda"])
def test_texts(text):
    assert values.text.parse(text) == text


def test_lists():
    assert values.interfaces.parse("") == ()
    assert values.interfaces.parse("eth0, wlan0 ,ppp0 usb0") == ("eth0", "wlan0", "ppp0", "usb0")
    assert "twice" in rejected(values.interfaces, "eth0 wlan0 eth0")
    for name in ("a/b", "x" * 16, "..", "eth0:1"):
        assert "network interface" in rejected(values.interfaces, name)
    assert values.endpoints.parse("192.0.2.1:443 [::1]:80") == (Endpoint("192.0.2.1", 443), Endpoint("::1", 80))


def test_templates():
    kind = values.template("RefID", "reason")
    assert kind.parse('{"a":"{RefID}","b":{"c":1},"d":"{reason}"}') == '{"a":"{RefID}","b":{"c":1},"d":"{reason}"}'
    assert "{refid} is not known" in rejected(kind, '{"a":"{refid}"}')
    assert "empty" in rejected(kind, "")


def test_yes_no_and_choices():
    assert values.yes_no.parse("yes") is True and values.yes_no.parse("no") is False
    for text in ("", "true", "1", "Yes", "on"):
        assert rejected(values.yes_no, text)
    assert values.choice("replay", "run").parse("run") == "run"
    assert rejected(values.choice("replay", "run"), "rerun")
    assert values.choice("replay", "run").accepts == "replay or run"


def test_optional_values_are_none_when_empty():
    assert values.optional(values.path).parse("") is None
    assert values.optional(values.path).parse("/etc/ca.pem") == "/etc/ca.pem"
    assert "absolute" in rejected(values.optional(values.path), "ca.pem")


@given(st.text() | st.from_regex(r"[0-9a-z.:\[\]/ _-]{0,30}"))
def test_no_text_raises_anything_but_value_error(text):
    for kinds in SECTIONS.values():
        for kind in kinds.values():
            with contextlib.suppress(ValueError):
                hash(kind.parse(text))


@pytest.mark.parametrize("text", [
    'exec:/opt/pay --pin "hunter2', "exe:/opt/pay --pin hunter2", "exec: opt/pay --pin hunter2",
    "exec:'pay --pin hunter2'"])
def test_a_mistake_does_not_repeat_a_program_s_arguments(text):
    """They may hold a password, and mistakes stand on the display."""
    assert "hunter2" not in rejected(values.parse_application, text)
