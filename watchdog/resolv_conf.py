"""Which name servers /etc/resolv.conf names (resolv.conf(5)); how a name is completed: process.lookups."""
from pathlib import Path

from econduit_terminal.watchdog.addresses import is_address

FILE = Path("/etc/resolv.conf")
MOST_SERVERS = 3        # MAXNS, resolv.h


def name_servers(file: Path = FILE) -> tuple[str, ...]:
    """The addresses of the name servers in use."""
    servers = (words[1] for words in _lines(file) if words[0] == "nameserver")
    return tuple(server for server in servers if is_address(server))[:MOST_SERVERS]


def _lines(file: Path) -> list[list[str]]:
    """The words of each line that has two at least."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [words for words in map(str.split, text.splitlines()) if len(words) > 1]
