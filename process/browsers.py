"""PURE: whether a request that a browser may have sent is one of our own page; what our pages may do there.

A browser carries out what every page that is open in it asks for, also at addresses of this machine. Its headers tell
which page it was:

| header         | our own page, a person, a program | another page                                        |
|----------------|-----------------------------------|-----------------------------------------------------|
| Sec-Fetch-Site | same-origin, none, or absent      | same-site, cross-site                               |
| Origin         | the same as Host, or absent       | another, or null                                    |
| Host           | one of our names                  | the page's own name, pointed at us (DNS rebinding)  |

Programs send neither of the first two; browsers omit Sec-Fetch-Site where the address is not one of this machine.
A link that leads here is no harm: the page that is opened by it is ours, and the one with the link sees nothing of it.
"""
import base64
import hashlib
import re
from collections.abc import Mapping

from econduit_terminal.process.addresses import parsed

OWN_SITES = ("same-origin", "none")
PROTECTION = (("X-Frame-Options", "DENY"), ("Cross-Origin-Resource-Policy", "same-origin"),
              ("Cross-Origin-Opener-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"),
              ("Referrer-Policy", "no-referrer"))
"""Headers for every answer: no other page may frame it, load it as a part of itself, or keep a handle of its window."""


def content_policy(page: str) -> tuple[str, str]:
    """The header for a page of one file: only its own script and style run, by their hashes; it talks to nobody but the
    program that serves it, and no frame shows it (Content Security Policy Level 3)."""
    return ("Content-Security-Policy",
            "default-src 'none'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'none'; script-src {_hashes(page, 'script')}; style-src {_hashes(page, 'style')}")


def _hashes(page: str, tag: str) -> str:
    blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def host_name(host: str) -> str:
    """The name in a Host header or an address, without its port, in lower case; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    named = name if colon and port.isdigit() and (":" not in name or name.endswith("]")) else host
    return named.lower()


def is_loopback(name: str) -> bool:
    """Whether a name, as `host_name` gives it, can be nobody's but this machine's."""
    address = parsed(name.strip("[]"))
    return address.is_loopback if address is not None else name == "localhost" or name.endswith(".localhost")


def of_another_page(environ: Mapping[str, str], page: bool = False) -> bool:
    """Whether a page of another origin asks. environ: CGI names, as WSGI has them. page: what is asked for is a page
    to look at, to which links may lead."""
    if page and environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ.get("HTTP_SEC_FETCH_DEST") == "document":
        return False
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if site is not None and site not in OWN_SITES:
        return True
    return origin is not None and origin.partition("://")[2].lower() != environ.get("HTTP_HOST", "").lower()
