"""scripts/check-package: how it is called, and when lintian has found something. What it runs takes minutes;
tests/package tries much the same each time."""
import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check-package"


@pytest.fixture
def script():
    loader = importlib.machinery.SourceFileLoader("check_package", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_package", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("said, found", [
    ("/out/econduit-terminal_1.1.0_all.deb\n", None),
    ("P: econduit-terminal source: no-homepage-field\n/out/econduit-terminal_1.1.0_all.deb\n",
     "P: econduit-terminal source: no-homepage-field"),
    ("I: econduit-sandbox: spelling-error-in-binary\nN: a note\n", "I: econduit-sandbox: spelling-error-in-binary"),
])
def test_whatever_tag_of_lintian_counts(script, monkeypatch, tmp_path, said, found):
    monkeypatch.setattr(script, "run", lambda *command: said)
    if found is None:
        script.lintian(tmp_path)
    else:
        with pytest.raises(script.Found) as raised:
            script.lintian(tmp_path)
        assert str(raised.value) == found


@pytest.mark.parametrize("wrong", [["no-such-check"], ["--release", "sid"]])
def test_wrong_usage(wrong):
    done = subprocess.run([sys.executable, SCRIPT, *wrong], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("usage: check-package")


def test_help_names_the_tools():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert all(tool in done.stdout for tool in ("lintian", "piuparts", "autopkgtest"))
