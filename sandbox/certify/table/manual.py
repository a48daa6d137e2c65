"""docs/certification.md, made from the table, so that it cannot say anything else. PURE.

`econduit-certify` has no command for it: scripts/build-docs writes the file, and a test compares.
"""
from econduit_terminal.sandbox.certify.device import KEYS
from econduit_terminal.sandbox.certify.table.every import CASES
from econduit_terminal.sandbox.certify.table.model import MEANS, RESTS, Case, Role
from econduit_terminal.sandbox.certify.table.statements import STATEMENTS

SECTIONS = {1: "Overview", 2: "Connection", 3: "Registration", 4: "Heartbeat", 5: "Transactions", 6: "User Feedback",
            7: "Testing"}
HEAD = """\
# Certification

`econduit-certify` certifies a payment terminal of any make, or a cloud, against every sentence of the eConduit Direct
document. The device needs no agent, no root and no change: it dials the examiner, or the examiner dials it.

```sh
pip install '.[certify]'                     # in the source tree; Debian packages: see below
econduit-certify init                        # writes device.toml, after some questions
econduit-certify terminal                    # is the cloud on ports 9000 and 9001; the page is http://127.0.0.1:9010/
econduit-certify cloud HOST:9000,HOST:9001 --url 'http://HOST:9080/services/api.asmx/runTransaction?key=K&password=P'
econduit-certify self                        # our own terminal and sandbox, in network namespaces (root)
econduit-certify verify certification/archive.zip --public lab.pem    # who signed it, and whether it is intact
econduit-certify compare before after        # what changed between two runs
```

On Debian 12 or 13, `scripts/build-deb` makes the packages, and
`apt install ./dist/python3-econduit-terminal_*.deb ./dist/econduit-sandbox_*.deb` installs the examiner on a machine
that is not a terminal: nothing is started there. (On a terminal, econduit-terminal takes the place of the first.) With
pip, netifaces is compiled: `apt install gcc python3-dev`.

Point the device's primary endpoint at port 9000 and its secondary at port 9001 of this machine. `--profile quick`
leaves out what takes minutes, `--profile long --hours N` adds hours of work. A developer runs `--only 3.6` (or a
section: `--only 4`) in a loop; `--from-failed DIR` runs what did not pass in an earlier report; `--no-person` asks
nobody.

`--out DIR` gets `result.json` (all else derives from it; its schema is `sandbox/certify/report/result.schema.json`),
`report.html` (one page that prints), `junit.xml` and `archive.zip` (all of them, hashed, and signed with `--key FILE`:
`openssl genpkey -algorithm ed25519 -out lab.key`, `openssl pkey -in lab.key -pubout -out lab.pem`). Card numbers are
masked before anything is written. A report of a part (`--only`, `--from-failed`) says how many of the cases it holds:
it is no certification. `verify DIR` also finds a page or record in the directory that differs from the archive's.

![The page for the person beside the device](examiner.png)

![A report](certification-report.png)

## Verdicts

| verdict | means |
|---|---|
"""
EXITS = """
Cases and the document's sentences are both numbered by the document's sections. A sentence is written with a §: case
**3.6** is about the sentences §3.3, §3.4 and §3.7. `--only` takes cases.

Exit status: 0 nothing failed, 1 FAIL, 2 INCONCLUSIVE (and nothing failed), 3 no device came, 4 wrong command line or
device.toml (every mistake with its line and key).

A case fails for what it names, not for what another case names: one that rests on another (in the tables below) is
INCONCLUSIVE when both fail. A device whose registration or terminator is wrong fails there, and is then taken
leniently.

## device.toml

| key | default | |
|---|---|---|
"""
ECHO = """
How the examiner knows what the terminal ran is declared: an *echo application* behind the terminal (`econduit-sandbox
payment-app --echo`, in JSON, XML and STX) whose answers tell RefID, AuthCode (which counts its runs), RequestBytes and
RequestSHA256; or a `counter`; or `runs` in the display's JSON. Without any of them, cases that need it say so.

The display is read from `url`, or the person is asked. Hooks stand in for the person at the cables, such as
`cable_out = "ssh bench relay off 3"`; with hooks and a url the whole run needs nobody.

## The sentences

| sentence | level | what the document says (our words) |
|---|---|---|
"""


def manual() -> str:
    """docs/certification.md, as text."""
    lines = [HEAD.rstrip("\n")]
    lines += [f"| {verdict.value} | {_cell(means)} |" for verdict, means in MEANS.items()]
    lines += ["", "| level of a case | |", "|---|---|"]
    lines += [f"| {level.value} | {_cell(means)} |" for level, means in RESTS.items()]
    lines.append(EXITS.rstrip("\n"))
    for table, keys in KEYS.items():
        for key in keys:
            default = key.default if isinstance(key.default, str) else "true" if key.default else "false"
            lines.append(f"| {table}.{key.name} | {f'`{default}`' if default else ''} | {_cell(key.comment)} |")
    lines.append(ECHO.rstrip("\n"))
    for statement in STATEMENTS:
        untested = f" Not tried: {statement.untested}." if statement.untested else ""
        lines.append(f"| §{statement.id} | {statement.level.value} | {_cell(statement.text)}{_cell(untested)} |")
    for role in Role:
        lines += ["", f"## The cases of a {role.value}"]
        for section, title in SECTIONS.items():
            own = [case for case in CASES[role] if case.order[0] == section]
            if own:
                lines += ["", f"### {section} {title}", "", "| case | level | what it does | what it expects | why |",
                          "|---|---|---|---|---|", *map(_row, own)]
    return "\n".join(lines) + "\n"


def _row(case: Case) -> str:
    marks = [f"about {case.about}"]
    if case.rests_on:
        marks.append(f"rests on cases {', '.join(dict.fromkeys(case.rests_on))}")
    if case.profile.value != "quick":
        marks.append(f"profile {case.profile.value}")
    return (f"| **{case.id}** {_cell(case.title)} ({'; '.join(marks)}) | {case.level.value} | {_cell(case.does)} | "
            f"{_cell(case.expects)} | {_cell(case.why)} |")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
