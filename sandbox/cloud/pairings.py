"""Who may call: keys, passwords and the terminals they are for. PURE.

Rules

- `sandbox`/`sandbox` is paired with every terminal, so that nobody has to pair before the first sale.
- A merchant (ReferenceID) has one key and one password for all their terminals; pairing one more adds it.
- A wrong password, an unknown key and a terminal that is not paired get different sentences: this is a sandbox, and
  whoever reads them writes a POS.
- Asking checkStatus too soon `ABUSE` times in a row has the key revoked until it is paired again or the sandbox is
  reset; the real cloud revokes credentials for that, too.
"""
import hashlib
from dataclasses import dataclass, field

from econduit_terminal.sandbox.cloud.calls import CallError

KEY = PASSWORD = "sandbox"
ABUSE = 20
MAX_MERCHANTS = 10_000


@dataclass
class Merchant:
    """One pairing: `terminals` None means all of them. `hasty`: calls in a row that came too soon."""
    key: str
    password: str
    terminals: set[str] | None = field(default_factory=set)
    hasty: int = 0


class Pairings:
    """All keys there are."""

    def __init__(self) -> None:
        self._by_key = {KEY: Merchant(KEY, PASSWORD, None)}

    def check(self, given: dict[str, str]) -> Merchant:
        """The merchant whose key and password a call has, for the terminal that it names. Raises CallError."""
        merchant = self._by_key.get(given["key"])
        if merchant is None:
            raise CallError(f"key: no terminal is paired under it; this sandbox takes key={KEY}, password={PASSWORD}, "
                            "and what pairTerminal gave")
        if merchant.password != given["password"]:
            raise CallError("password: not the one of this key")
        if merchant.hasty >= ABUSE:
            raise CallError("key: revoked, since checkStatus was called too often; pair again, or POST /sandbox/reset")
        terminal = given.get("terminalId")
        if terminal and merchant.terminals is not None and terminal not in merchant.terminals:
            raise CallError(f"terminalId: {terminal} is not paired with this key; call pairTerminal first")
        return merchant

    def pair(self, reseller: str, reference: str, terminal: str) -> Merchant:
        """The merchant's key and password, this terminal included. Raises CallError."""
        digest = hashlib.sha256(f"{reseller}\0{reference}".encode()).hexdigest()
        key = digest[:16]
        if key not in self._by_key and len(self._by_key) >= MAX_MERCHANTS:
            raise CallError(f"{MAX_MERCHANTS} merchants are paired: no more fit in this sandbox")
        merchant = self._by_key.setdefault(key, Merchant(key, digest[16:32]))
        merchant.hasty = 0
        if merchant.terminals is not None:
            merchant.terminals.add(terminal)
        return merchant

    def unpair(self, given: dict[str, str]) -> None:
        """This terminal is no longer paired with the key. Raises CallError."""
        merchant = self.check(given)
        if merchant.terminals is None:
            raise CallError(f"key={KEY} is paired with every terminal and stays so")
        merchant.terminals.discard(given["terminalId"])

    def asked(self, merchant: Merchant, too_soon: bool) -> None:
        """A checkStatus came, in time or too soon."""
        merchant.hasty = merchant.hasty + 1 if too_soon else 0

    def forgive(self) -> None:
        """No key is revoked any more."""
        for merchant in self._by_key.values():
            merchant.hasty = 0
