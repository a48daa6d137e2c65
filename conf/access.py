"""What a person who may not read a file is told: that it is so, and which group to join, by the file's own mode."""
import grp
import os
import pwd
import stat
from pathlib import Path

GROUP = "econduit"


def refusal(path: Path) -> str:
    """One line, for the user of this process. `path`: what cannot be read, be it for a directory on the way."""
    user, (obstacle, needed) = _user(), _obstacle(path)
    refused = f"{obstacle} may not be read by {user}"
    try:
        status = obstacle.stat()
    except OSError:
        return f"{refused}: run this as root"
    group = _group(status.st_gid)
    if status.st_gid and group and status.st_mode & needed == needed:
        return (f"{refused}: run this as root or as a member of the group {group} "
                f"(sudo adduser {user} {group}, then log in again)")
    return f"{refused}: run this as root, or give it the group {GROUP} and mode {'0750' if needed & 0o010 else '0640'}"


def _obstacle(path: Path) -> tuple[Path, int]:
    """The first on the way that refuses, and the bits that its group would need."""
    for above in reversed(path.absolute().parents):
        if not os.access(above, os.X_OK):
            return above, stat.S_IXGRP
    return path, stat.S_IRGRP | (stat.S_IXGRP if path.is_dir() else 0)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _group(number: int) -> str | None:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return None
