"""Which process is an agent of ours: by its command line, and whose it is."""
import os

AGENT = "econduit-agent", "econduit_terminal.agent"
"""What the agent's command line holds."""


def is_agent(pid: int, names: tuple[str, ...] = AGENT) -> bool:
    """Whether this process is one, of our own user; root's may be anybody's."""
    process = f"/proc/{pid}"
    try:
        if os.geteuid() not in (0, os.stat(process).st_uid):
            return False
        with open(f"{process}/cmdline", "rb") as stream:
            words = stream.read().decode(errors="replace").split("\0")
    except OSError:
        return False
    return any(name in word for word in words for name in names)
