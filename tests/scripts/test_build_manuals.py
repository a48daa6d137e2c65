"""scripts/build-manuals: nothing that the programs can do and nothing that can be set is missing."""
import argparse
import importlib.machinery
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from econduit_terminal.conf.schema import SECTIONS
from econduit_terminal.conf.settings import load_with_sources

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "build-manuals"
PROGRAMS = {"econduit-agent": 8, "econduit-watchdog": 8, "econduit-sandbox": 1, "econduit-certify": 1,
            "econduit-fleet": 1}


@pytest.fixture(scope="module")
def manuals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manuals")
    subprocess.run([sys.executable, SCRIPT, folder, "--date", "2026-11-23"], check=True)
    return folder


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("build_manuals", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("build_manuals", loader))
    loader.exec_module(module)
    return module


def plain(page: Path) -> str:
    """A man page's text without its escapes and line breaks."""
    text = page.read_text()
    for escape, sign in (("\\-", "-"), ("\\(aq", "'"), ("\\fB", ""), ("\\fI", ""), ("\\fR", ""), ("\\e", "\\")):
        text = text.replace(escape, sign)
    return " ".join(text.split())


def test_every_setting_with_its_default_and_its_whole_comment(manuals, script):
    page = plain(manuals / "econduit-terminal.ini.5")
    _, sources = load_with_sources(None)
    described = set()
    for name in script.INI_FILES:
        section = None
        for entry in script.ini_entries(script.SHIPPED / name)[1]:
            section = entry.name if entry.value is None else section
            for paragraph in entry.text:
                assert isinstance(paragraph, list) or " ".join(paragraph.split()) in page
            if entry.value is not None:
                described.add((section, entry.name))
                assert entry.text, f"{name} does not say what {entry.name} is"
                assert " ".join(f"{entry.name} = {sources[f'{section}.{entry.name}'].text}".split()) in page
    assert described == {(section, key) for section, keys in SECTIONS.items() for key in keys}


def test_a_comment_that_belongs_to_nothing_is_no_page(script, tmp_path):
    lost = tmp_path / "lost.ini"
    lost.write_text("# Head.\n\n# Section.\n[a]\n\n# Lost.\n\n# Key.\nb = 1\n")
    with pytest.raises(ValueError, match="lost.ini:7: the comment above belongs to no section and no key"):
        script.ini_entries(lost)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_and_option_of_a_program(manuals, script, program):
    page = plain(manuals / f"{program}.{PROGRAMS[program]}")
    for command, parser in script.subparsers(script.PARSERS[program]()).items():
        part = page.partition(f".SS {command} ")[2].partition(" .SS ")[0]
        assert part.replace(" .B", "").startswith((".PP", ".B")) and parser.description in part
        for action in parser._actions:
            hidden = action.dest == "help" or action.help == argparse.SUPPRESS or not action.option_strings
            assert hidden or action.option_strings[-1] in part
        assert parser.epilog is None or " ".join(parser.epilog.split()) in part


@pytest.mark.skipif(not shutil.which("man"), reason="man pages are read by man, of the package man-db")
@pytest.mark.parametrize("name", ["econduit-agent.8", "econduit-watchdog.8", "econduit-sandbox.1", "econduit-certify.1",
                                  "econduit-fleet.1", "econduit-terminal.ini.5"])
def test_man_has_nothing_to_complain_of(manuals, name):
    shown = subprocess.run(["man", "--warnings", "--local-file", manuals / name], capture_output=True, text=True,
                           env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "100"})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "@" not in shown.stdout


def offered(manuals: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    inside = (f'source "{manuals}/completion/{words[0]}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              f'complete -p {words[0]} >/dev/null; _shtab_{words[0].replace("-", "_")} {words[0]} "${{@: -1}}"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", inside, "bash", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("words, expected", [
    (("econduit-agent", "s"), ["status"]),
    (("econduit-agent", "--config-dir", "/x", "che"), ["check-config"]),
    (("econduit-agent", "status", "--j"), ["--json"]),
    (("econduit-agent", "status", "--socket", ""), []),
    (("econduit-watchdog", "l"), ["links"]),
    (("econduit-sandbox", "cloud", "--log-level", "w"), ["warning"]),
])
def test_bash_completes(manuals, words, expected):
    assert offered(manuals, *words) == expected


@pytest.mark.parametrize("program", PROGRAMS)
def test_bash_offers_every_command(manuals, script, program):
    assert set(script.subparsers(script.PARSERS[program]())) <= set(offered(manuals, program, ""))
