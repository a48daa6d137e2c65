#!/usr/bin/env python3
"""ruff and mypy over everything, by the rules in pyproject.toml; scripts/check prepares the environment and calls this.

What is listed in tests/unchecked.txt, a file on each line, was there before these rules: complaints about it do not
count yet, but a file that has none any more must be struck off, so that the list only ever gets shorter.

mypy does not see packages through setuptools' package_dir: it gets a tree of links, econduit_terminal/agent → agent.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNCHECKED = ROOT / "tests/unchecked.txt"
NAMESPACE = "econduit_terminal"
COMPLAINT = re.compile(r"^(?P<file>[^:\s][^:]*):\d+:(?:\d+:)? (?!note:)")


def scripts() -> list[Path]:
    """Python programs without the suffix."""
    return [file for file in sorted((ROOT / "scripts").iterdir())
            if file.is_file() and not file.suffix and file.read_text().startswith("#!/usr/bin/env python3")]


def packages() -> list[Path]:
    """The folders of the product."""
    return sorted(init.parent for init in ROOT.glob("*/__init__.py"))


def run(*command: object, **options: str) -> list[str]:
    """The lines of a checker's output. Raises SystemExit where it did not check anything."""
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", **options})
    if done.returncode not in (0, 1):
        raise SystemExit(f"{Path(str(command[0])).name} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def ruff() -> list[str]:
    """Its complaints, with paths from here."""
    program = Path(sys.executable).with_name("ruff")
    return run(program, "check", "--output-format", "concise", ".", *scripts())


def mypy() -> list[str]:
    """Its complaints about the product, what tests share, and each script, which is a program of its own."""
    program = Path(sys.executable).with_name("mypy")
    links = Path(sys.prefix, "links", NAMESPACE)        # in one place, so that mypy knows them again
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    for package in packages():
        (links / package.name).symlink_to(package)
    path = {"MYPYPATH": f"{links.parent}:{ROOT}/scripts:{ROOT}/tests/support:{ROOT}/sandbox/lab"}
    base = (program, "--no-error-summary", "--hide-error-context", "--show-absolute-path")
    lines = [line for package in (NAMESPACE, "bench", "soaking") for line in run(*base, "-p", package, **path)]
    lines += run(*base, *sorted((ROOT / "tests/support").glob("*.py")), **path)
    for script in [*scripts(), *sorted((ROOT / "scripts").glob("*.py"))]:
        lines += run(*base, script, **path)
    return [line.replace(f"{links}/", "").replace(f"{ROOT}/", "") for line in dict.fromkeys(lines)]


def main(arguments: list[str]) -> int:
    """The command line."""
    unchecked = set() if "--all" in arguments else {
        line for line in UNCHECKED.read_text().splitlines() if line and not line.startswith("#")}
    complaints: dict[str, list[str]] = {}
    for line in [*ruff(), *mypy()]:
        if found := COMPLAINT.match(line):
            complaints.setdefault(found["file"], []).append(line)
    counted = [line for file, lines in complaints.items() if file not in unchecked for line in lines]
    clean = sorted(unchecked - complaints.keys())
    if "--strike" in arguments:
        kept = [line for line in UNCHECKED.read_text().splitlines(keepends=True) if line.strip() not in clean]
        UNCHECKED.write_text("".join(kept))
        clean = []
    for line in counted:
        print(line)
    for file in clean:
        print(f"{file}: has no complaints any more, strike it off tests/unchecked.txt (scripts/check --strike)")
    print(f"{len(counted)} complaints; {len(unchecked)} files are not checked yet")
    return 1 if counted or clean else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
