"""junit.xml: pure."""
from xml.etree import ElementTree as ET

import pytest

from econduit_terminal.sandbox.certify.report.junit import junit


@pytest.mark.parametrize("verdict, strict, failures, skipped", [
    ("PASS", False, 0, 0), ("FAIL", False, 1, 0), ("NON-STRICT", False, 0, 0), ("NON-STRICT", True, 1, 0),
    ("INCONCLUSIVE", False, 0, 1), ("N/A", False, 0, 1), ("INFO", False, 0, 0)])
def test_what_fails_a_build(made, verdict, strict, failures, skipped):
    suite = ET.fromstring(junit(made(verdict, strict)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", str(failures), str(skipped))
    assert len(suite.findall(".//failure")) == failures and len(suite.findall(".//skipped")) == skipped
    assert suite.find("testcase").get("classname") == "terminal.section-1"


def test_what_xml_cannot_carry(made):
    assert "a\ufffdb" in junit(made("FAIL", seen="a\x00b <&>"))
