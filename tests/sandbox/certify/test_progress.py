"""What a run looks like in a terminal that is none: a line for each case."""
from econduit_terminal.sandbox.certify.outcome import Result
from econduit_terminal.sandbox.certify.progress import Bar
from econduit_terminal.sandbox.certify.table.model import Verdict
from econduit_terminal.sandbox.certify.table.terminal import FIN


def test_a_line_for_each_case_and_nothing_of_it_is_markup(capsys):
    with Bar() as bar:
        bar.begins([FIN], 0.0, 1.0)
        for verdict in Verdict:
            bar.result(Result(FIN, verdict, "[bold]" + "x" * 500, 1.0, ()))
        bar.said("[red]word")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(Verdict) + 1 and lines[0].startswith("PASS         2.9   The cloud closes")
    assert "[bold]xx" in lines[0] and lines[0].endswith("…") and lines[-1] == "[red]word"
