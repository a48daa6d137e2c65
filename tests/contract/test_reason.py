"""The rows of reasons: each is told from the others by its words."""
import pytest

from econduit_terminal.contract.reason import GAP, UNANSWERED, Reason, label, reason_of, remedy

EVERY = pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)


def filled(reason: Reason, detail: str = "x:1") -> str:
    return reason.text(*[detail] * reason.words.count(GAP))


@EVERY
def test_each_text_is_its_own_row(reason):
    assert reason_of(filled(reason)) is reason


@EVERY
def test_each_row_says_what_happened_and_what_to_do(reason):
    assert reason.happened and reason.support and not reason.remedy.endswith(".")
    assert "|" not in reason.words and (reason.label is None or GAP not in reason.label)


def test_no_two_rows_are_the_same():
    assert len({reason.words for reason in Reason}) == len(Reason)


@pytest.mark.parametrize("text, wanted", [
    ("registration refused: FAILED-REGISTRATION", Reason.REFUSED),
    ("registration refused: FAILED-INVALID-TERMINAL-TYPE", Reason.REFUSED_TYPE),
    ("registration refused", Reason.REFUSED_UNSAID),
    ("no DNS", Reason.NO_DNS), ("no DNS or no internet", Reason.NO_DNS_OR_INTERNET),
    ("no DNS: dc.econduitapp.com is answered with 0.0.0.0 (a DNS filter)", Reason.WRONG_DNS),
    ("refused by dc.econduitapp.com:80", Reason.REFUSED_BY),
    ("refused by dc.econduitapp.com:80; no answer from econduitapp.com:9001", Reason.REFUSED_BY),
    ("no answer from [2001:db8::1]:80", Reason.NO_ANSWER_FROM),
    ("no answer to the registration within 10 s", Reason.NO_ANSWER),
    ("router 192.0.2.1 rejects the way to dc.econduitapp.com:80 (administratively prohibited)", Reason.ROUTER_REJECTS),
    ("name dc.econduitapp.com not answered within 2 s", Reason.NAME_SILENT),
    ("dc.econduitapp.com:80 is answered by something else, HTTP 302: a proxy or login page of this network",
     Reason.NOT_THE_CLOUD),
    ("settings wrong: a.ini:3: cloud.primary: …", Reason.SETTINGS),
    ("new SIM card", None), ("", None),
])
def test_texts_as_they_are_shown(text, wanted):
    assert reason_of(text) is wanted


def test_a_label_leaves_out_what_comes_from_outside():
    assert label("registration refused: whatever") == label("registration refused") == "registration refused"
    assert label("a message broke off after 17 bytes") == "a message broke off"
    assert label("settings wrong: /etc/x.ini:3: …") == "settings wrong"
    assert label("cable unplugged") == "cable unplugged" and label("refused by a:1") == "refused by a:1"
    assert label("new SIM card") == "new SIM card"


def test_what_the_merchant_can_do():
    assert remedy("cable unplugged") == "Plug the network cable in at both ends"
    assert remedy("settings changed") == remedy("new SIM card") == ""


@pytest.mark.parametrize("one, other, wanted", [
    (Reason.NO_ANSWER_FROM.text("a:1"), Reason.REFUSED_BY.text("b:2"), "Wait"),
    (Reason.NO_ANSWER_FROM.text("a:1"), Reason.CLOSED.words + UNANSWERED, "Wait"),
    (Reason.NO_NAME.text("a", "not known"), Reason.NO_ANSWER.text("3 s"), "Wait"),
    (Reason.NO_ANSWER_FROM.text("a:1"), Reason.NO_ANSWER_FROM.text("b:2"), "Restart the router"),
    (Reason.NO_ANSWER_FROM.text("a:1"), Reason.NO_NAME.text("b", "not known"), "Restart the router"),
    (Reason.NO_ANSWER_FROM.text("a:1"), Reason.NOT_THE_CLOUD.text("b:2", "HTTP 400"), "Log in"),
])
def test_a_line_over_which_one_endpoint_answers_is_not_blamed_for_the_other(one, other, wanted):
    assert remedy(f"{one}; {other}").startswith(wanted)
    assert remedy(f"{other}; {one}").startswith(wanted)


def test_a_refusal_of_the_terminal_comes_before_what_the_other_endpoint_does():
    assert remedy("registration refused: FAILED-REGISTRATION; refused by b:2") == Reason.REFUSED.remedy


def test_a_row_takes_as_many_details_as_it_has_gaps():
    assert Reason.REFUSED_BY.text("a:1") == "refused by a:1"
    with pytest.raises(ValueError, match="REFUSED_BY takes 1 details, got 0"):
        Reason.REFUSED_BY.text()
