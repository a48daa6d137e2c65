"""The public calls: runTransaction, runTransaction2 and checkStatus, and the sales sent on demand.

The request that the terminal gets is one compact JSON object, always the same bytes for the same call:
``{"Command":"Sale","Amount":"2.50","RefID":"1234","TerminalID":"29531204"}``. runTransaction2 is, by the public pages,
the same call with the fields invoiceNumber, merchantId, token and expDate; those that are not empty follow as
InvoiceNumber, MerchantID, Token and ExpDate.
"""
import json
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from gevent.event import Event

from econduit_terminal.sandbox.cloud.connection import Connection, Ended
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.registry import Registry
from econduit_terminal.sandbox.cloud.results import Result, Results

COMMANDS = ("Sale", "Refund", "Auth", "Capture", "Void", "TipAdjust", "GiftActivate", "GiftSale", "GiftRefund",
            "GiftAddValue", "GiftBalance")
WITHOUT_AMOUNT = ("Capture", "Void", "GiftBalance")
MORE_FIELDS = {"invoiceNumber": "InvoiceNumber", "merchantId": "MerchantID", "token": "Token", "expDate": "ExpDate"}
MAX_FIELD = 200
MAX_WAIT = 3600.0


class CallError(Exception):
    """A public call that cannot be understood; the text says what is accepted."""


class PublicCalls:
    """Sends transactions to registered terminals and knows what became of each."""

    def __init__(self, registry: Registry, events: EventLog, results: Results, timeout: float) -> None:
        self._registry, self._events, self._results, self._timeout = registry, events, results, timeout
        registry.response = self._response
        registry.sales = self.sales

    def run(self, given: dict[str, str], more: bool) -> dict[str, Any]:
        """runTransaction (``more``: runTransaction2): the answer as the POS gets it. Raises CallError."""
        command, amount = _command(given), given.get("amount", "")
        if amount or command not in WITHOUT_AMOUNT:
            _amount(amount)
        terminal = given.get("terminalId", "")
        if not terminal:
            raise CallError("terminalId is missing: the number that the terminal's display shows")
        ref = given.get("refID") or str(uuid.uuid4())
        wait = _wait(given.get("wait"), self._timeout)
        extra = {name: given[key] for key, name in MORE_FIELDS.items() if more and given.get(key)}
        for value in (terminal, ref, *extra.values()):
            if len(value) > MAX_FIELD:
                raise CallError(f"a value is longer than {MAX_FIELD} characters")
        connection = self._registry.current(terminal)
        result = self._start(ref, command, terminal, amount, extra)
        if connection is None:
            self._results.forget(result)
            return _answer(result, "Failed", "The terminal is offline", final=True)
        done = Event()
        result.on_answer = done.set
        self._send(connection, result)
        done.wait(wait)
        result.on_answer = None
        return self._current(result)

    def status(self, given: dict[str, str]) -> dict[str, Any]:
        """checkStatus: what is known of a RefID. Raises CallError."""
        ref, command = given.get("refID", ""), given.get("command")
        if not ref:
            raise CallError("refID is missing")
        command = _command(given) if command else None
        day = _day(given.get("date"))
        left = self._results.too_soon(ref, time.monotonic())
        if left:
            return {"RefID": ref, "ResultCode": "Failed", "ResultFinal": False, "TooSoon": True,
                    "Message": f"checkStatus may be called every 5 s for a RefID: ask again in {left:.1f} s"}
        result = self._results.find(ref, command)
        if result is None or (day is not None and abs(result.day - day) > timedelta(days=1)):
            return {"RefID": ref, "ResultCode": "Failed", "ResultFinal": True,
                    "Message": "No transaction with this RefID, command and date was sent to a terminal"}
        return self._current(result)

    def sales(self, connection: Connection, amounts: tuple[str, ...], refs: tuple[str, ...] | None) -> bytes:
        """Several sales for this connection's terminal, glued; their answers are found by checkStatus."""
        glued = b""
        for place, amount in enumerate(amounts):
            ref = refs[place] if refs and place < len(refs) else str(uuid.uuid4())
            result = self._start(ref, "Sale", connection.terminal or "", amount, {})
            connection.note("request", result.request, ref=ref)
            glued += connection.terminated(result.request)
        return glued

    def again(self, terminal: str, ref: str | None, times: int) -> int:
        """Sends a kept request again, byte for byte; returns how many times. Raises CallError."""
        result = self._results.find(ref) if ref else self._results.last(terminal)
        connection = self._registry.current(terminal)
        if result is None or connection is None:
            raise CallError("nothing to send again: no such transaction, or the terminal is offline")
        for _ in range(times):
            self._send(connection, result)
        return times

    def _start(self, ref: str, command: str, terminal: str, amount: str, extra: dict[str, str]) -> Result:
        fields = {"Command": command, **({"Amount": amount} if amount else {}), "RefID": ref, "TerminalID": terminal,
                  **extra}
        request = json.dumps(fields, separators=(",", ":")).encode()
        return self._results.start(ref, command, terminal, amount, request, now=time.monotonic(),
                                   day=datetime.now(UTC).date())

    def _send(self, connection: Connection, result: Result) -> None:
        connection.note("request", result.request, ref=result.ref)
        try:
            connection.transaction(result.request)
        except Ended:
            connection.note("request-lost", ref=result.ref, detail="the connection ended while it was sent")

    def _response(self, connection: Connection, message: bytes, fields: dict[str, Any]) -> None:
        lower = {key.lower(): value for key, value in fields.items()}
        ref, kind = lower.get("refid"), lower.get("transtype")
        ref = str(ref) if isinstance(ref, (str, int)) and ref != "" else None
        filed = self._results.answered(connection.terminal or "", ref, kind if isinstance(kind, str) else None, message)
        if filed is None:
            connection.note("unsolicited", message, ref=ref)
            return
        result, first = filed
        took = round(time.monotonic() - result.sent_at, 6)
        connection.note("response", message, ref=result.ref, took=took, detail=None if first else "again")

    def _current(self, result: Result) -> dict[str, Any]:
        if result.pending:
            return _answer(result, "Unknown", "No answer from the terminal yet: call checkStatus", final=False)
        answer = result.answers[-1]
        try:
            fields = json.loads(answer)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            text = answer.decode("utf-8", "backslashreplace")
            return _answer(result, "Failed", "The terminal's answer is not a JSON object", final=True, Raw=text[:1000])
        return {**_answer(result, "Failed", "", final=True, Answers=len(result.answers)), **fields, "ResultFinal": True}


def _answer(result: Result, code: str, message: str, *, final: bool, **more: Any) -> dict[str, Any]:
    return {"TerminalID": result.terminal, "ResultCode": code, "AuthCode": "", "TransType": result.command,
            "Amount": float(result.amount or 0), "AmountString": result.amount, "CardType": "", "Last4": "",
            "Message": message, "RefID": result.ref, "ResultFinal": final, **more}


def _command(given: dict[str, str]) -> str:
    known = {command.lower(): command for command in COMMANDS}
    command = known.get(given.get("command", "").lower())
    if command is None:
        raise CallError("command must be one of " + ", ".join(COMMANDS))
    return command


def _amount(text: str) -> None:
    try:
        number = Decimal(text) if text.isascii() and "." in text and set(text) <= set("0123456789.") else None
    except InvalidOperation:
        number = None
    if number is None or len(text) > 20:
        raise CallError("amount must be a number with its decimal point, such as 2.50")


def _wait(text: str | None, default: float) -> float:
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise CallError(f"wait must be seconds, 0 to {MAX_WAIT:.0f}")
    return seconds


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        if len(text) != 8:
            raise ValueError
        return datetime.strptime(text, "%m%d%Y").date()
    except ValueError:
        raise CallError("date must be MMddyyyy, such as 01192016 for January 19, 2016") from None
