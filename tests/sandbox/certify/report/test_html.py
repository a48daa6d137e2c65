"""report.html: one page without any other file, everything escaped."""
import re

from econduit_terminal.sandbox.certify.report.html import html
from econduit_terminal.sandbox.certify.table.statements import STATEMENTS


def test_the_page_holds_everything(made):
    page = html(made("FAIL", seen="<b>no</b>"))
    assert "&lt;b&gt;no&lt;/b&gt;" in page and "<script" not in page and "\\x02&lt;script&gt;&amp;\\xff" in page
    assert all(f">§ {statement.id} {statement.level.value}<" in page for statement in STATEMENTS)
    assert 'id="case-5.25" open' in page and 'id="case-1.1">' in page and "… and 3 bytes" in page


def test_no_other_host_is_named(made):
    page = html(made())
    assert not re.search(r"(src|href)=\"(?!#)", page) and "url(" not in page
    assert "default-src 'none'" in page
