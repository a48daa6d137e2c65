"""Debian's own root file systems for machines (debian_machine.py) to try the packages on, and the packages.

A root is made once of the distribution's packages and kept between runs: `base("trixie")`, `base("bookworm",
"arm64")`. It holds what our packages depend on, and nothing of ours. A foreign processor's needs an interpreter in the
kernel (binfmt_misc).
"""
import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
"""Those that the packages are for."""
HOST = "amd64"
LAYOUT = "1"
"""Change it when a root is made differently from the same packages."""
PROGRAMS = ("mmdebstrap", "unshare", "nsenter", "ip")
UNUSED = 7 * 86400
"""Seconds after which a root that nobody asked for is removed."""
LIMIT = 900.0
"""Seconds that making one may take."""


class NoRoot(Exception):
    """Why there is no such root here, in one line."""


def missing() -> str | None:
    """Why there can be no such machine here; None where there can."""
    if os.geteuid() != 0:
        return "the packages are installed and tried as root only"
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    if absent:
        return f"the packages are tried in a Debian root, which needs {', '.join(absent)}"
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as mounted:
        try:
            mounted.enter_context(overlay([Path(folder, "base")], Path(folder)))
        except (OSError, subprocess.CalledProcessError):
            return "the packages are tried in a Debian root, which needs overlay mounts"
    return None


def prepared(packages: str) -> str | None:
    """`missing`, after these Debian packages were installed. What apt has to say goes to standard error."""
    if os.geteuid() == 0 and subprocess.run(
            ["bash", "-c", f'source "$0"; apt_install {packages}', ROOT / "scripts/_packages.sh"]).returncode:
        return f"not all of these Debian packages could be installed: {packages}"
    return missing()


def dependencies() -> list[str]:
    """What our packages depend on, by their control file; so that nothing is fetched when they are installed."""
    control = (ROOT / "debian/control").read_text()
    fields = re.findall(r"^Depends:(.*?)^\S", control, flags=re.DOTALL | re.MULTILINE)
    names = {re.sub(r"\(.*\)", "", entry).strip() for field in fields for entry in field.split(",")}
    ours = set(re.findall(r"^Package: (\S+)", control, flags=re.MULTILINE))
    return sorted(name for name in names - ours if not name.startswith("${"))


def sources(release: str) -> list[str]:
    """Lines of a sources.list of a release, from where this machine has its own. Raises NoRoot."""
    form = "$(CODENAME)|$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    here = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    found: list[str] = []
    for attempt in range(2):
        listed = subprocess.run(["apt-get", "indextargets", "--format", form, "Identifier: Packages"], check=True,
                                capture_output=True, text=True).stdout
        rows = [line.split("|") for line in listed.splitlines()]
        found = sorted({row[2] for row in rows if here and row[0].partition("-")[0] == here[1] and row[1] == "Debian"})
        if found or attempt:
            break
        # Where a package comes from stands in the lists, which a fresh machine does not have yet.
        subprocess.run(["apt-get", "update"], capture_output=True)
    if not (found and here):
        raise NoRoot("apt has no source of Debian on this machine")
    return [line.replace(f" {here[1]}", f" {release}") for line in found]


@functools.cache
def base(release: str, architecture: str = HOST, included: tuple[str, ...] | None = None) -> Path:
    """The root from the cache or made now. included: Debian packages in it; None: all dependencies. Raises NoRoot."""
    packages = dependencies() if included is None else sorted(included)
    key = hashlib.sha256("\n".join([LAYOUT, release, *packages]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "econduit-terminal-tests"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"root-{release}-{architecture}-{key}"
    # One lock for each: another processor's root takes many minutes.
    with open(cache / f"{release}-{architecture}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for old in cache.glob(f"root-{release}-{architecture}-*"):
            if old != root and old.stat().st_mtime < os.fstat(lock.fileno()).st_mtime - UNUSED:
                shutil.rmtree(old)
        if not root.is_dir():
            _make(root.with_name(f"{root.name}.new"), release, architecture, packages)
            root.with_name(f"{root.name}.new").rename(root)
        os.utime(root)      # used now
    return root


def _make(root: Path, release: str, architecture: str, packages: list[str]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    lines = sources(release)
    if architecture != HOST:        # mirrors carry the updates of these late: their lists are often half of a change
        lines = [line for line in lines if line.split()[2] == release]
    try:
        done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={architecture}",
                               *([f"--include={','.join(packages)}"] if packages else []), release, str(root), "-"],
                              input="\n".join(lines) + "\n", text=True, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        raise NoRoot(f"no root of {RELEASES[release]} ({architecture}) within {LIMIT:g} s from this machine's package "
                     "sources") from None
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.startswith("E:")] or done.stdout.splitlines()
        raise NoRoot(f"no root of {RELEASES[release]} ({architecture}) from this machine's package sources: "
                     + "; ".join(said)[-500:])
    # What a machine's init would do, and no traces of the machine on which this was made.
    for name in ("resolv.conf", "hostname"):
        (root / "etc" / name).write_text("" if name == "resolv.conf" else "terminal\n")
    (root / "packages").mkdir()


@contextlib.contextmanager
def overlay(layers: list[Path], folder: Path) -> Iterator[Path]:
    """`layers`, the topmost first, under a new one at folder/upper; mounted at folder/root."""
    for path in (*layers, *(folder / name for name in ("upper", "work", "root"))):
        path.mkdir(exist_ok=True)
    options = f"lowerdir={':'.join(map(str, layers))},upperdir={folder}/upper,workdir={folder}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, folder / "root"], check=True,
                   capture_output=True)
    try:
        yield folder / "root"
    finally:
        subprocess.run(["umount", "--lazy", folder / "root"], check=True)


def build(output: Path, *options: str) -> str:
    """scripts/build-deb to `output`; what it printed. Raises AssertionError where it fails."""
    done = subprocess.run([ROOT / "scripts/build-deb", "--output", output, *options], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


if __name__ == "__main__":
    print(missing() or [str(base(*sys.argv[1:]))] if sys.argv[1:] else [str(base(one)) for one in RELEASES])
