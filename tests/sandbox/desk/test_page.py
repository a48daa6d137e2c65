"""The page as it is sent: its forms are those of the tables, and nothing in it runs but its own script."""
import base64
import hashlib
import json
import re

from econduit_terminal.sandbox.cloud.calls import CALLS
from econduit_terminal.sandbox.cloud.faults import CONTROLS
from econduit_terminal.sandbox.desk import page


def test_every_call_and_control_is_in_the_tables():
    tables = page.tables()
    assert set(tables["calls"]) == set(CALLS) and set(tables["controls"]) == set(CONTROLS)
    for form in (*tables["calls"].values(), *tables["controls"].values()):
        assert form["about"] and all(field["about"] for field in form["fields"])


def test_the_tables_are_in_the_page_and_cannot_end_their_element():
    sent = page.render({"primary": 9000}).decode()
    found = re.search(r'<script type="application/json" id="tables">(.*?)</script>', sent, re.DOTALL)
    assert json.loads(found[1]) == {**page.tables(), "ports": {"primary": 9000}} and "<" not in found[1]


def test_the_policy_allows_the_script_and_style_that_are_sent():
    policy, sent = dict(page.HEADERS)["Content-Security-Policy"], page.render({"primary": 9000}).decode()
    for tag in ("script", "style"):
        block, = re.findall(rf"<{tag}>(.*?)</{tag}>", sent, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() in policy
    assert "frame-ancestors 'none'" in policy and "http" not in policy
