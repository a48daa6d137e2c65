"""Whether the agent can write where the settings have it write: its journal, its socket, its status file."""
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from econduit_terminal.conf.schema import Local

from ..instance_locks import lock_files
from ..journal.schema import FILE

USER = "econduit"
LAUNCHER = Path("/usr/lib/econduit-terminal/launch")
MADE_AT_START = (Path("/run/econduit-terminal"), Path("/var/lib/econduit-terminal"))
"""By the package's launcher."""


class User(NamedTuple):
    uid: int
    gid: int
    name: str


def agents_user(state_dir: str) -> User:
    """Whose process the agent is: the owner of its journal; where that is root or not there, the package's user; where
    nobody has that name, whoever asks."""
    try:
        owner = os.stat(state_dir)
    except OSError:
        owner = None
    if owner is not None and owner.st_uid:
        return User(owner.st_uid, owner.st_gid, _name(owner.st_uid))
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return User(os.geteuid(), os.getegid(), _name(os.geteuid()))
    return User(entry.pw_uid, entry.pw_gid, entry.pw_name)


def warnings(local: Local, agent: User) -> Iterator[str]:
    """A line for each place that does not serve. What only the agent's user can tell, this process tells if it runs as
    that user."""
    journal, socket = Path(local.state_dir), Path(local.socket).parent
    forgotten = "what was charged is forgotten whenever the agent starts again"
    places = [("state_dir", journal, forgotten),
              ("socket", socket, "neither the commands nor the watchdog reach the agent")]
    if local.status_file:
        places.append(("status_file", Path(local.status_file).parent, "there is no status file"))
    for key, place, consequence in places:
        # The agent makes the journal's directory itself, if it may.
        if obstacle := _obstacle(place, agent, makes=place is journal):
            what, todo = obstacle
            yield f"local.{key}: the directory {place} {what}; until it can be used, {consequence}; {todo}"
    files = [("local.state_dir", journal / FILE, forgotten)]
    files += [(key, lock, "a second agent is not noticed") for key, lock in lock_files(local).items()]
    for key, file, consequence in files:    # an agent that root ran by hand leaves them to root
        if os.geteuid() == agent.uid and os.path.exists(file) and not os.access(file, os.R_OK | os.W_OK):
            yield (f"{key}: {file} may not be read and written by {agent.name}; until it may, {consequence}; "
                   f"chown {shlex.quote(agent.name)} {shlex.quote(str(file))}")


def _obstacle(place: Path, agent: User, makes: bool) -> tuple[str, str] | None:
    """What is wrong, and what to do; None where nothing is, as far as this user can tell."""
    known = os.geteuid() == agent.uid
    elsewhere = f"name one that belongs to {agent.name}"
    try:
        is_directory = stat.S_ISDIR(os.stat(place).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        above = place.parent
        if (place in MADE_AT_START and LAUNCHER.exists()) or (makes and _obstacle(above, agent, makes) is None):
            return None
        mode = "0750" if makes else "0755"
        return "is not there", f"make it: install -d -o {shlex.quote(agent.name)} -m {mode} {shlex.quote(str(place))}"
    except OSError as error:
        return (f"cannot be reached by {agent.name} ({error.strerror})", elsewhere) if known else None
    if not is_directory:
        return "is not one", elsewhere
    if known and not os.access(place, os.W_OK | os.X_OK):
        return f"may not be written by {agent.name}", elsewhere
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
