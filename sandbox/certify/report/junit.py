"""junit.xml, for a CI. PURE."""
import re
from xml.etree import ElementTree as ET

from econduit_terminal.sandbox.certify.report.result import Record

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(found: Record) -> str:
    """A suite with a test for each case. FAIL (and NON-STRICT with --strict) fails; INCONCLUSIVE and N/A skip."""
    cases = found["cases"]
    failing = {"FAIL", "NON-STRICT"} if found["strict"] else {"FAIL"}
    skipped = {"INCONCLUSIVE", "N/A"}
    suite = ET.Element("testsuite", name=f"econduit-certify {found['role']}", tests=str(len(cases)), errors="0",
                       failures=str(sum(case["verdict"] in failing for case in cases)),
                       skipped=str(sum(case["verdict"] in skipped for case in cases)),
                       time=f"{found['seconds']:.3f}", timestamp=found["began"])
    for case in cases:
        test = ET.SubElement(suite, "testcase",
                             classname=f"{found['role']}.section-{case['case'].lstrip('C').split('.')[0]}",
                             name=_clean(f"{case['case']} {case['title']}"), time=f"{case['seconds']:.3f}")
        words = _clean(f"{case['verdict']}: {case['seen']}")
        if case["verdict"] in failing:
            failure = ET.SubElement(test, "failure", type=case["verdict"], message=words)
            failure.text = _clean(f"expected: {case['expected']}\nseen: {case['seen']}\n"
                                  f"sentences of the document: {' '.join('§' + one for one in case['statements'])}")
        elif case["verdict"] in skipped:
            ET.SubElement(test, "skipped", message=words)
        else:
            ET.SubElement(test, "system-out").text = words
    ET.indent(suite)
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + ET.tostring(suite, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
