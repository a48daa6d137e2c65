"""The desk for those who see little, use no mouse, or have it read to them."""
import pytest
from selenium.webdriver.common.keys import Keys

READABLE = 4.5
"""Contrast of text, WCAG 2, level AA."""
CONTROLS = "input, select, button, summary"


@pytest.fixture
def desk(browser, cloud):
    cloud.misbehave("dead", terminal="T1")
    browser.open(cloud.url)
    browser.shows("#faults", "dead")
    browser.run("for (const folded of document.querySelectorAll('details')) folded.open = true")
    return browser


@pytest.fixture(params=["light", "dark"])
def scheme(request, browser):
    emulate = {"features": [{"name": "prefers-color-scheme", "value": request.param}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", emulate)
    yield request.param
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_every_text_can_be_read(scheme, desk):
    desk.one("#call-form button[type=submit]").click()      # its answer is part of the page
    desk.run("document.getElementById('call-form').noValidate = true")
    desk.one("#call-form button[type=submit]").click()
    desk.shows("#answer", "HTTP 400")
    found = desk.contrasts()
    assert len(found) > 30
    assert {name: ratio for name, ratio in found.items() if ratio < READABLE} == {}


def test_every_control_has_a_name_and_every_part_its_heading(desk):
    nameless = [one.get_attribute("outerHTML") for one in desk.all(CONTROLS) if not one.accessible_name]
    assert nameless == []
    sections = desk.all("section")
    assert len(sections) == 4 and all(one.aria_role == "region" and one.accessible_name for one in sections)
    assert [one.text for one in desk.all("h1")] == ["eConduit sandbox"]
    assert len(desk.all("header")) == len(desk.all("main")) == 1
    for field in desk.all("form input, form select"):
        hint = desk.text("#" + field.get_attribute("aria-describedby"))
        assert len(hint) > 3
    assert desk.one("#answer").get_attribute("aria-live") == desk.one("#done").get_attribute("aria-live") == "polite"


def test_the_keyboard_reaches_every_control_in_order_and_its_place_is_seen(desk):
    wanted = {one.get_attribute("id") or one.text for one in desk.all(CONTROLS) if one.is_displayed()}
    reached = []
    desk.one("body").send_keys(Keys.TAB)
    for _ in range(100):
        focused = desk.driver.switch_to.active_element
        if focused.tag_name == "body":
            break
        reached.append(focused.get_attribute("id") or focused.text)
        style, width = desk.run("const shown = getComputedStyle(document.activeElement);"
                                "return [shown.outlineStyle, parseFloat(shown.outlineWidth)]")
        assert style == "solid" and width >= 2, reached[-1]
        focused.send_keys(Keys.TAB)
    assert wanted <= set(reached)
    assert [name for name in reached if name in ("wanted", "call", "control", "search", "pause")] == [
        "wanted", "call", "control", "search", "pause"]
