#!/usr/bin/env python3
"""ruff and mypy over everything, by the rules in pyproject.toml; scripts/check prepares the environment and calls this.

mypy does not see packages through setuptools' package_dir: it gets a tree of links, econduit_terminal/agent → agent.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = "econduit_terminal"
COMPLAINT = re.compile(r"^[^:\s][^:]*:\d+:(?:\d+:)? (?!note:)")


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
    path = {"MYPYPATH": f"{links.parent}:{ROOT}/scripts:{ROOT}/tests/support"}
    base = (program, "--no-error-summary", "--hide-error-context", "--show-absolute-path")
    lines = [line for package in (NAMESPACE, "bench", "soaking") for line in run(*base, "-p", package, **path)]
    lines += run(*base, *sorted((ROOT / "tests/support").glob("*.py")), **path)
    for script in [*scripts(), *sorted(ROOT.glob("scripts/*.py")), *sorted(ROOT.glob("scripts/peers/*.py"))]:
        lines += run(*base, script, **path)
    return [line.replace(f"{links}/", "").replace(f"{ROOT}/", "") for line in dict.fromkeys(lines)]


def main() -> int:
    """Print every complaint. Returns the exit status."""
    complaints = [line for line in [*ruff(), *mypy()] if COMPLAINT.match(line)]
    for line in complaints:
        print(line)
    print(f"{len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
