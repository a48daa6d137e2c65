"""scripts/build-deb: what comes out, and that it comes out the same every time."""
import os
import re
import subprocess

import debian_root

from econduit_terminal.conf.version import VERSION


def listing(package) -> dict[str, str]:
    """Path -> mode and owner of everything in a package."""
    lines = subprocess.run(["dpkg-deb", "--contents", package], check=True, capture_output=True, text=True).stdout
    return {row.split()[5].lstrip("."): " ".join(row.split()[:2]) for row in lines.splitlines()}


def test_lintian_has_nothing_to_say(packages):
    assert [line for line in packages.said.splitlines() if re.match("[EWIP]: ", line)] == []


def test_two_builds_give_the_same_bytes(packages, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("LC_ALL", "C")
    os.umask(old := os.umask(0))
    os.umask(0o027)
    try:
        debian_root.build(tmp_path, "--no-lintian")
    finally:
        os.umask(old)
    for name in (packages.terminal, packages.sandbox, packages.modules):
        assert (tmp_path / name).read_bytes() == (packages.folder / name).read_bytes()


def test_a_terminal_carries_no_sandbox(packages):
    terminal, sandbox = listing(packages.folder / packages.terminal), listing(packages.folder / packages.sandbox)
    assert not [path for path in terminal if "sandbox" in path]
    for program in ("econduit-sandbox", "econduit-certify", "econduit-fleet"):
        assert f"/usr/bin/{program}" in sandbox and f"/usr/share/man/man1/{program}.1.gz" in sandbox
    assert {"/usr/share/man/man8/econduit-agent.8.gz", "/usr/share/man/man8/econduit-watchdog.8.gz",
            "/usr/share/man/man5/econduit-terminal.ini.5.gz"} <= terminal.keys()


def test_the_modules_alone_are_those_of_a_terminal(packages):
    terminal, modules = listing(packages.folder / packages.terminal), listing(packages.folder / packages.modules)
    assert {path for path in terminal if "dist-packages/" in path} == {path for path in modules
                                                                       if "dist-packages/" in path}
    assert not [path for path in modules if path.startswith(("/etc", "/usr/bin", "/usr/lib/econduit-terminal"))]


def test_nothing_in_a_package_can_be_written_by_others_than_root(packages):
    for name in (packages.terminal, packages.sandbox, packages.modules):
        for path, mode in listing(packages.folder / name).items():
            assert mode.endswith("root/root") and "w" not in mode[2:10].replace("w", "", mode[2] == "w"), path


def test_every_settings_file_is_a_conffile(packages):
    package = packages.folder / packages.terminal
    conffiles = subprocess.run(["dpkg-deb", "--info", package, "conffiles"], check=True, capture_output=True, text=True)
    shipped = {path for path in listing(package) if path.startswith("/etc/") and not path.endswith("/")}
    names = ("reconnect.ini", "supervisor.conf", "terminal.ini", "watchdog.ini")
    assert set(conffiles.stdout.split()) == shipped == {f"/etc/econduit-terminal/{name}" for name in names}


def test_the_package_has_the_version_of_the_programs():
    first = (debian_root.ROOT / "debian/changelog").read_text().partition("\n")[0]
    assert re.match(r"econduit-terminal \(([^)]+)\)", first)[1] == VERSION
