"""How both of our processes look names up: for how long, and never as another name than the one that is written.

- `RES_OPTIONS` bounds each lookup in the C library: one question, one second, instead of 2 × 5 s for each server.
- A dotted name is never completed by a search list (resolv.conf(5)): as soon as its own servers fail, a wildcard of
  some domain would be taken for the cloud, and get the Register message with the TerminalID. `LOCALDOMAIN=.` keeps
  glibc from that, and /etc/hosts still holds; a final dot would hide the names in it (tried). A name without a dot is
  completed here.
- Both are for us alone: a program that we start gets the environment that we were started with.
"""
import os

from econduit_terminal.process.addresses import is_address

HOSTS = "/etc/hosts"
RESOLV_CONF = "/etc/resolv.conf"
MOST_BYTES = 1 << 20
"""Of those files; the rest is not read."""
MOST_DOMAINS = 6
"""Of a search list (MAXDNSRCH, resolv.h)."""
MOST_SERVERS = 3
"""MAXNS, resolv.h."""

_before: dict[str, str | None] = {}


def set_up() -> None:
    """Before the first lookup of this process. The limits are an administrator's to change, strangers are not."""
    for name in ("RES_OPTIONS", "LOCALDOMAIN"):
        _before.setdefault(name, os.environ.get(name))
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:1")
    os.environ["LOCALDOMAIN"] = "."


def environment_of_others() -> dict[str, str]:
    """The environment for a program that we start."""
    given = dict(os.environ)
    for name, value in _before.items():
        if value is None:
            given.pop(name, None)
        else:
            given[name] = value
    return given


def names_for(name: str) -> tuple[str, ...]:
    """What to look up for this name, one after the other until one is found."""
    return (name,) if "." in name else (name, *(f"{name}.{domain}" for domain in search_list()))


def search_list() -> tuple[str, ...]:
    """The domains that complete a name without a dot; the last line counts."""
    domains: list[str] = []
    for key, *values in _resolv_conf():
        if key in ("search", "domain"):
            domains = values
    return tuple(filter(None, (domain.rstrip(".") for domain in domains)))[:MOST_DOMAINS]


def name_servers() -> tuple[str, ...]:
    """The addresses of the name servers in use."""
    servers = (value for key, value, *_ in _resolv_conf() if key == "nameserver")
    return tuple(filter(is_address, servers))[:MOST_SERVERS]


def written() -> dict[str, frozenset[str]]:
    """What /etc/hosts says: name in lower case → its addresses."""
    found: dict[str, set[str]] = {}
    for line in _lines(HOSTS):
        address, *names = line.partition("#")[0].lower().split() or [""]
        for name in names:
            found.setdefault(name, set()).add(address.partition("%")[0])
    return {name: frozenset(addresses) for name, addresses in found.items()}


def _resolv_conf() -> list[list[str]]:
    """The words of each line that has two at least."""
    return [words for line in _lines(RESOLV_CONF) if len(words := line.split()) > 1]


def _lines(file: str) -> list[str]:
    try:
        with open(file, "rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
