"""Who may know whom, read from the imports themselves; and that nothing is without its test.

- PURE modules (below, and every module whose docstring says PURE in its first line) import only PURE modules and those
  parts of the standard library that neither wait, nor look at a clock, nor touch the machine.
- Everything may import `conf`, `contract` and `process`, which import nothing else of the product.
- The watchdog and the agent know each other only through `contract`.
- Nothing but tests and scripts imports the sandbox, and of the agent the sandbox imports PURE modules alone.
- Only `__main__.py` files monkey-patch, and `__init__.py` files are empty, so that they can do it in time.
"""
import ast
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = "econduit_terminal"
FOLDERS = ("agent", "watchdog", "conf", "contract", "process", "sandbox")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
SCRIPTS = sorted(file for folder in ("scripts", ".ci") for file in (ROOT / folder).iterdir()
                 if file.is_file() and file.name != "_environment.py")    # which is imported

PURE_PLACES = ("agent/wire/*.py", "agent/cloud/policy.py", "agent/transactions/pan.py",
               "agent/transactions/failure.py", "watchdog/verdict.py")
SHARED = {"conf", "contract", "process"}
IMPURE = {"asyncio", "concurrent", "fcntl", "gevent", "glob", "http", "io", "logging", "multiprocessing", "netifaces",
          "os", "pathlib", "psutil", "sched", "select", "selectors", "shutil", "signal", "socket", "socketserver",
          "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib"}
THIRD_PARTY = {"agent": {"gevent", "greenlet", "netifaces"}, "watchdog": {"psutil", "netifaces"}, "conf": set(),
               "contract": set(), "process": set(), "sandbox": {"gevent", "greenlet"}}
CERTIFY, CERTIFY_ONLY = ROOT / "sandbox/certify", {"cryptography", "jinja2", "rich"}
FLEET, FLEET_ONLY = ROOT / "sandbox/fleet", {"jinja2", "locust", "matplotlib", "numpy", "rich"}
CALCULATION = {"numpy"}     # what PURE modules may use beside the standard library


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join((NAMESPACE, *(parts[:-1] if parts[-1] == "__init__" else parts)))


MODULES = {name_of(file): file for file in FILES}


def imports(file: Path) -> set[str]:
    """Every module that a file imports, anywhere in it; "from package import module" counts as the module."""
    found = set()
    package = name_of(file) if file.name == "__init__.py" else name_of(file).rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[:len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name for name in names if name in MODULES} | ({base} if names - MODULES.keys() else set())
    return found


def part_of(module: str) -> str | None:
    """"agent" for econduit_terminal.agent.cloud.link; None for what is not of the product."""
    return module.split(".")[1] if module.startswith(f"{NAMESPACE}.") else None


def is_pure(file: Path) -> bool:
    place = file.relative_to(ROOT)
    summary = (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0]
    return re.search(r"\bPURE\b", summary) is not None or any(place.match(pattern) for pattern in PURE_PLACES)


def ids(file: Path) -> str:
    return str(file.relative_to(ROOT))


PURE = [file for file in FILES if is_pure(file) and file.name != "__init__.py"]


@pytest.mark.parametrize("file", PURE, ids=ids)
def test_pure_modules_import_only_pure_ones(file):
    pure = {name_of(other) for other in PURE} | {f"{NAMESPACE}.conf.version"}
    for module in imports(file):
        if part_of(module):
            assert module in pure, f"{module} is not PURE (the types of settings are in conf.schema and conf.values)"
        else:
            top = module.partition(".")[0]
            assert top in (sys.stdlib_module_names - IMPURE) | CALCULATION, f"{module} has no place in a PURE module"


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_who_may_know_whom(file):
    own = part_of(f"{name_of(file)}.")
    for module in imports(file):
        other = part_of(module)
        if other is None:
            top = module.partition(".")[0]
            more = CERTIFY_ONLY if CERTIFY in file.parents else FLEET_ONLY if FLEET in file.parents else set()
            assert top in sys.stdlib_module_names | THIRD_PARTY[own] | more, f"{own} does not use {top}"
        elif other != own:
            assert own not in SHARED or other in SHARED, f"{own} knows nothing else of the product, but {module}"
            assert other != "sandbox", f"the product imports {module}"
            assert other != "watchdog", f"{own} imports {module}"
            assert own != "watchdog" or other in SHARED, f"the watchdog imports {module}"
            assert other != "agent" or is_pure(MODULES[module]), f"{own} imports {module}, which is not PURE"


@pytest.mark.parametrize("file", [file for file in FILES if CERTIFY in file.parents], ids=ids)
def test_the_examiner_knows_nothing_of_what_it_examines(file):
    known = tuple(f"{NAMESPACE}.{name}" for name in ("sandbox.certify", "sandbox.lab", "conf.version", "process."))
    assert [module for module in imports(file) if part_of(module) and not module.startswith(known)] == []


def test_the_client_of_the_local_api_is_plain_standard_library():
    client = ROOT / "contract/client.py"
    others = {module for module in imports(client) if module.partition(".")[0] not in sys.stdlib_module_names}
    assert all(part_of(module) in SHARED or is_pure(MODULES[module]) for module in others), others


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_only_main_modules_monkey_patch(file):
    patches = [node for node in ast.walk(ast.parse(file.read_text()))
               if isinstance(node, ast.Attribute) and node.attr.startswith("patch_")]
    assert not patches or file.name == "__main__.py"


def test_init_files_are_empty():
    folders = {file.parent for file in FILES}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
    assert [file for file in FILES if file.name == "__init__.py" and file.read_bytes()] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "__init__.py"], ids=ids)
def test_each_module_has_its_test_module(file):
    place = file.relative_to(ROOT)
    test = ROOT / "tests" / place.parent / f"test_{place.stem.strip('_')}.py"
    assert test.is_file(), f"{test.relative_to(ROOT)} is missing"


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_modules_say_what_they_are_for_in_lines_that_can_be_read(file):
    text = file.read_text()
    assert file.name == "__init__.py" or ast.get_docstring(ast.parse(text))
    assert [number for number, line in enumerate(text.splitlines(), 1) if len(line) > 120] == []


@pytest.mark.parametrize("file", SCRIPTS, ids=ids)
def test_scripts_can_be_run(file):
    first, *rest = file.read_text().splitlines()
    assert os.access(file, os.X_OK)
    assert first in ("#!/usr/bin/env bash", "#!/usr/bin/env python3")
    if first.endswith("bash"):
        assert "set -euo pipefail" in rest
