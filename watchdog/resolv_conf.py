"""What /etc/resolv.conf says (resolv.conf(5)): which name servers are asked, and how a single label is completed."""
from pathlib import Path

from econduit_terminal.watchdog.addresses import is_address

FILE = Path("/etc/resolv.conf")
MOST_SERVERS = 3        # MAXNS, resolv.h
MOST_DOMAINS = 6        # MAXDNSRCH


def name_servers(file: Path = FILE) -> tuple[str, ...]:
    """The addresses of the name servers in use."""
    servers = (words[1] for words in _lines(file) if words[0] == "nameserver")
    return tuple(server for server in servers if is_address(server))[:MOST_SERVERS]


def search_list(file: Path = FILE) -> tuple[str, ...]:
    """The domains that complete a name without a dot; the last line counts."""
    domains: list[str] = []
    for words in _lines(file):
        if words[0] in ("search", "domain"):
            domains = words[1:]
    return tuple(filter(None, (domain.rstrip(".") for domain in domains)))[:MOST_DOMAINS]


def _lines(file: Path) -> list[list[str]]:
    """The words of each line that has two at least."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [words for words in map(str.split, text.splitlines()) if len(words) > 1]
