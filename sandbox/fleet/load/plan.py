"""What a load is to be: told by the command line, passed on as text to every process that has a part in it. PURE."""
import json
from dataclasses import asdict, dataclass, fields

from econduit_terminal.conf.values import Endpoint

VARIABLE = "ECONDUIT_FLEET_LOAD"
"""The environment variable by which the command passes its plan on to Locust."""


@dataclass(frozen=True)
class Plan:
    """endpoints: the primary first. url: the cloud's HTTP side. terminals: in all. ramp, sales: a second. scene, save:
    None for none. outage: seconds, None for the scene's own. latency: of the payment application, in seconds. settle:
    seconds registered before the scene; patience: for everybody's return after it; stay: registered where there is no
    scene, None for until the load is stopped. prefix: of the TerminalIDs."""
    endpoints: tuple[Endpoint, ...]
    url: str | None
    terminals: int
    ramp: float
    scene: str | None
    outage: float | None
    settle: float
    patience: float
    stay: float | None
    sales: float
    latency: float
    prefix: str
    sources: tuple[str, ...]
    config_dir: str | None
    save: str | None
    key: str
    password: str

    @property
    def points_of_sale(self) -> int:
        """As many as have a sale under way at one time, and as many again that choose the next one."""
        return 0 if not self.sales else max(1, round(self.sales * (self.latency + 1)))

    def to_text(self) -> str:
        """As `read` takes it."""
        return json.dumps(asdict(self))


def read(text: str) -> Plan:
    """The plan in a text. Raises ValueError."""
    said = json.loads(text)
    if not isinstance(said, dict) or set(said) != {field.name for field in fields(Plan)}:
        raise ValueError("the plan is of another version of econduit-fleet: use the same on every machine")
    endpoints = tuple(Endpoint(str(host), int(port)) for host, port in said.pop("endpoints"))
    return Plan(endpoints=endpoints, sources=tuple(said.pop("sources")), **said)
