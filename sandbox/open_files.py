"""How many files and sockets this process may have open, and what to do where they are too few."""
import resource

MOST = 1 << 20
"""What counts as without a limit: the kernel's own default for one process (fs.nr_open)."""
REMEDY = "raise it with ulimit -n, LimitNOFILE= of a systemd unit, or nofile in /etc/security/limits.conf"


def most_open_files() -> int:
    """Raises the process's own limit as far as the system lets it; returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
