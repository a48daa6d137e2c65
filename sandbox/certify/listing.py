"""`--list`: the cases, and which apply."""
from collections.abc import Iterable

from econduit_terminal.sandbox.certify.runner import why_not
from econduit_terminal.sandbox.certify.table.model import RESTS, Case, Need, Profile

HEAD = """\
A line for each case: its number (for --only), its level, what is tried, the sentences of the document (§) that it is
about, and why it is left out, where it is.
"""


def listing(cases: Iterable[Case], profile: Profile, absent: frozenset[Need]) -> None:
    """Print each case, and why it does not apply where it does not."""
    print(HEAD + "\n".join(f"{level.value:<10}{words}" for level, words in RESTS.items()) + "\n")
    for case in cases:
        note = why_not(case, absent) or ("" if profile.contains(case.profile)
                                         else f"only with --profile {case.profile.value}")
        print(f"{case.id:<6}{case.level.value:<9}{case.title} [{case.about}]" + (f" ({note})" if note else ""))
