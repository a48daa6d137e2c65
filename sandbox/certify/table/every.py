"""The whole table: every case of both roles, every scene's order is elsewhere. PURE."""
from econduit_terminal.sandbox.certify.table import cloud, terminal, terminal_sales
from econduit_terminal.sandbox.certify.table.model import Case, Role

TERMINAL: tuple[Case, ...] = tuple(sorted(terminal.CATALOGUE.cases, key=lambda case: case.order))
CLOUD: tuple[Case, ...] = tuple(sorted(cloud.CATALOGUE.cases, key=lambda case: case.order))
CASES: dict[Role, tuple[Case, ...]] = {Role.TERMINAL: TERMINAL, Role.CLOUD: CLOUD}
assert terminal_sales.TERMINATED in TERMINAL
