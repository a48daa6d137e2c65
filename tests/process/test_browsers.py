import base64
import hashlib

import pytest

from econduit_terminal.process.browsers import content_policy, host_name, is_loopback, of_another_page

HOST = "127.0.0.1:8642"
NAVIGATION = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document", "sec_fetch_site": "cross-site"}


@pytest.mark.parametrize("headers, page, another", [
    ({}, False, False),                                                     # a program
    ({"sec_fetch_site": "none"}, False, False),                             # a person who typed the address
    ({"sec_fetch_site": "same-origin", "origin": f"http://{HOST}"}, False, False),
    ({"origin": f"http://{HOST.upper()}"}, False, False),
    ({"sec_fetch_site": "cross-site"}, False, True),
    ({"sec_fetch_site": "same-site"}, False, True),                         # another port of this machine
    ({"sec_fetch_site": "cross-site", "origin": "http://evil.example"}, False, True),
    ({"origin": "http://evil.example"}, False, True),                       # an old browser
    ({"origin": "http://127.0.0.1:8643"}, False, True),
    ({"origin": "null"}, False, True),                                      # a sandboxed frame, a file
    ({"origin": ""}, False, True),
    (NAVIGATION, True, False),                                              # a link to the page
    (NAVIGATION, False, True),                                              # a link to what does something
    (NAVIGATION | {"sec_fetch_dest": "iframe"}, True, True),
])
def test_who_asks(headers, page, another):
    environ = {"HTTP_HOST": HOST, **{f"HTTP_{name.upper()}": value for name, value in headers.items()}}
    assert of_another_page(environ, page) is another


@pytest.mark.parametrize("host, name", [
    ("localhost:8642", "localhost"), ("LocalHost", "localhost"), ("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "[::1]"),
    ("[::1]", "[::1]"), ("::1", "::1"), ("a:b", "a:b"), ("", ""), (":80", "")])
def test_the_name_in_a_host_header(host, name):
    assert host_name(host) == name


@pytest.mark.parametrize("name, own", [
    ("localhost", True), ("desk.localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("[::1]", True),
    ("::1", True), ("localhost.evil.example", False), ("evillocalhost", False), ("127.0.0.1.evil.example", False),
    ("10.0.0.9", False), ("0.0.0.0", False), ("", False), ("127.0.0.1@evil", False), ("localhost:x", False)])
def test_names_of_this_machine_alone(name, own):
    assert is_loopback(name) is own


def test_a_page_runs_its_own_script_and_style_and_stands_in_no_frame():
    name, policy = content_policy("<style>b{}</style><script>a\nb</script><script type='application/json'>{}</script>")
    kinds = dict(part.split(" ", 1) for part in policy.split("; "))
    assert name == "Content-Security-Policy" and kinds["default-src"] == kinds["frame-ancestors"] == "'none'"
    for kind, block in (("script-src", b"a\nb"), ("style-src", b"b{}")):
        assert kinds[kind] == f"'sha256-{base64.b64encode(hashlib.sha256(block).digest()).decode()}'"
