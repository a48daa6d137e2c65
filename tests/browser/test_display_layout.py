"""What the display page looks like: at every size, with every reason, in a real browser."""
import pytest

from econduit_terminal.contract.reason import GAP, Reason, remedy

SIZES = [(240, 320), (320, 240), (480, 272), (480, 800), (800, 480), (720, 1280), (1280, 720), (1920, 1080)]
LONGEST_TEXT = 200
"""Of a reason, a detail or a problem (`process.text.clean`)."""
LONGEST_ID = 128
"""What `terminal.id` accepts."""
READABLE = 7.0

CUT = """
const page = document.documentElement, found = [];
if (page.scrollWidth > page.clientWidth || page.scrollHeight > page.clientHeight) found.push("the page");
for (const one of document.querySelectorAll("h1, p, span")) {
  const box = one.getBoundingClientRect();
  if (one.textContent && (box.left < 0 || box.top < 0 || box.right > innerWidth + .5 || box.bottom > innerHeight + .5))
    found.push(one.id || one.tagName);
}
return found;
"""


def longest(reason: Reason) -> str:
    """The longest text that this reason can be: a name without a blank, as long as fits."""
    gaps = reason.words.count(GAP)
    room = LONGEST_TEXT - len(reason.words.replace(GAP, ""))
    return reason.text(*["w" * (room // gaps)] * gaps) if gaps else reason.words


@pytest.mark.parametrize("width, height", SIZES)
def test_no_reason_and_remedy_are_cut(page, served, width, height):
    served.do("identity", "W" * LONGEST_ID)
    served.do("idle", False)
    page.size(width, height)
    cut = {}
    for reason in Reason:
        text = longest(reason)
        served.do("offline", text)
        page.shows("#reason", text[1:])
        assert page.text("#remedy") == remedy(text) == reason.remedy
        if found := page.run(CUT):
            cut[reason.name] = found
    assert cut == {}


def test_a_detail_and_a_problem_as_long_as_they_get_are_not_cut_either(page, served):
    served.do("identity", "W" * LONGEST_ID)
    served.do("network", {"verdict": Reason.CABLE.words, "detail": "d" * LONGEST_TEXT})
    served.do("problem", "settings", "the settings that were pushed are not taken " + "x" * LONGEST_TEXT)
    served.do("offline", Reason.CABLE.words)
    page.shows("#place", "ddd")
    page.shows("#notice", "settings")
    cut = {}
    for size in SIZES:
        page.size(*size)
        page.painted()
        if found := page.run(CUT):
            cut[size] = found
    assert cut == {}


def test_what_is_longer_than_any_screen_can_be_scrolled_to(page, served):
    for number in range(20):
        served.do("problem", f"problem {number}", "x" * LONGEST_TEXT)
    page.size(240, 320)
    page.shows("#notice", "problem 19")
    page.painted()      # and fitted anew to its new size
    page.run("scrollTo(0, 1e6)")
    page.painted()
    assert page.run("return document.querySelector('#terminal').getBoundingClientRect().bottom <= innerHeight")
    for number in range(20):
        served.do("problem", f"problem {number}", None)
    page.until(lambda: page.text("#notice") == "")
    page.painted()
    assert page.run(CUT) == []


def test_ordinary_text_is_as_large_as_there_is_room(page, served):
    served.do("offline", Reason.CABLE.words)
    page.shows("#reason", "Cable")
    for width, height in SIZES:
        page.size(width, height)
        page.painted()
        assert page.run("return document.body.style.getPropertyValue('--fit')") == "1", (width, height)


@pytest.mark.parametrize("online", [True, False])
def test_every_word_stands_out_from_what_is_behind_it(page, served, online):
    served.do("idle", False)
    served.do("problem", "watchdog", "watchdog silent")
    served.do("network", {"verdict": Reason.CABLE.words, "detail": "eth0 has no carrier"})
    if not online:
        served.do("offline", Reason.CABLE.words)
    page.shows("#notice", "watchdog")
    page.shows("#display", "POS Online" if online else "POS Offline")
    found = page.contrasts()
    assert {"display", "reason", "activity", "since", "notice", "terminal"} <= set(found)
    assert {name: ratio for name, ratio in found.items() if ratio < READABLE} == {}


def test_offline_is_red_and_online_is_green(page, served):
    def strongest() -> str:
        parts = [int(part) for part in page.colour("#display")[4:-1].split(",")]
        high, next_highest = sorted(parts)[:0:-1]
        assert high > 1.5 * next_highest
        return ("red", "green", "blue")[parts.index(high)]

    assert strongest() == "green"
    served.do("offline", Reason.CABLE.words)
    page.shows("#display", "POS Offline")
    assert strongest() == "red" and page.colour("#reason") == page.colour("#display")
    assert page.colour("body", "border-top-color") == page.colour("#display")


def test_a_screen_reader_hears_the_state_its_reason_and_what_to_do(page, served):
    heard, = page.all("[aria-live]")
    assert (heard.aria_role, heard.get_attribute("aria-live")) == ("status", "polite")
    served.do("offline", Reason.CABLE.words)
    page.shows("#display", "POS Offline")
    assert heard.text.splitlines() == ["POS Offline", "Cable unplugged", Reason.CABLE.remedy]
    assert page.one("h1").aria_role == "heading"
    assert page.driver.title == "POS Offline" and page.run("return document.documentElement.lang") == "en"
