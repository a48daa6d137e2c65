"""Carries out the public calls (`calls.CALLS`), and sends what the controls ask for.

The request that the terminal gets is one compact JSON object, always the same bytes for the same call:
`{"Command":"Sale","Amount":"2.50","RefID":"1234","TerminalID":"29531204"}`; further fields that are not empty follow.
closeBatch and getUserInput reach the terminal the same way, as the commands CloseBatch and GetUserInput with a RefID of
their own; a payment application that does not know them says so by any other answer.
"""
import json
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gevent.event import Event

from econduit_terminal.sandbox.cloud import calls
from econduit_terminal.sandbox.cloud.calls import CallError
from econduit_terminal.sandbox.cloud.connection import Connection
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.pairings import Pairings
from econduit_terminal.sandbox.cloud.registry import Registry
from econduit_terminal.sandbox.cloud.results import Result, Results
from econduit_terminal.sandbox.cloud.terminal_socket import Ended

MORE_FIELDS = {"invoiceNumber": "InvoiceNumber", "merchantId": "MerchantID", "token": "Token", "expDate": "ExpDate",
               "paymenttype": "PaymentType"}
ABSENT = ("Name", "CardToken", "GiftCardBalanceString", "ProcessorExtraData1", "ProcessorExtraData2",
          "ProcessorExtraData3", "SignatureData", "EMV_TC", "EMV_TVR", "EMV_AID", "EMV_TSI", "EMV_ATC", "EMV_App_Label",
          "EMV_App_Name", "CardBin", "ExpDate", "EntryMethod", "receiptTerminal")
"""Answer fields of the public pages that are null where the terminal's answer does not have them."""
BATCH_SIDES = ("Credit", "Gift")
UNSUPPORTED, BATCH_FAILED = -1, 0


def us_central() -> tzinfo:
    """The zone of the dates in checkStatus; without the zone database, its standard time."""
    try:
        return ZoneInfo("America/Chicago")
    except ZoneInfoNotFoundError:
        return timezone(-timedelta(hours=6))


class PublicCalls:
    """Sends transactions to registered terminals and knows what became of each. `timeout`: seconds for an answer."""

    def __init__(self, registry: Registry, events: EventLog, results: Results, timeout: float) -> None:
        self._registry, self._events, self._results, self._timeout = registry, events, results, timeout
        self.pairings = Pairings()
        self._zone = us_central()
        self._calls: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
            "runTransaction": self._run, "runTransaction2": self._run, "checkStatus": self._status,
            "closeBatch": self._close_batch, "getUserInput": self._user_input, "pairTerminal": self._pair,
            "pairTerminalWithCountry": self._pair, "unPairTerminal": self._unpair,
        }
        registry.response = self._response
        registry.sales = self.sales
        registry.inquiry = self.inquiry

    def call(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The call `name` of `calls.CALLS`: the answer as the POS gets it. Raises CallError."""
        return self._calls[name](calls.read(name, given))

    def sales(self, connection: Connection, amounts: tuple[str, ...], refs: tuple[str, ...] | None) -> bytes:
        """Several sales for this connection's terminal, glued; their answers are found by checkStatus."""
        glued = b""
        for place, amount in enumerate(amounts):
            ref = refs[place] if refs and place < len(refs) else str(uuid.uuid4())
            result = self._start(ref, "Sale", connection.terminal or "", amount, {})
            connection.note("request", result.request, ref=ref)
            glued += connection.terminated(result.request)
        return glued

    def inquiry(self, connection: Connection, ref: str | None) -> None:
        """Asks the terminal what became of an old transaction: this RefID, or the last one without an answer."""
        terminal = connection.terminal or ""
        last = self._results.unanswered(terminal)
        ref = ref or (last.ref if last else None)
        if ref is not None:
            self._send(connection, self._start(ref, "Status", terminal, "", {}))

    def again(self, terminal: str, ref: str | None, times: int) -> int:
        """Sends a kept request again, byte for byte; returns how many times. Raises CallError."""
        result = self._results.find(ref) if ref else self._results.last(terminal)
        connection = self._registry.current(terminal)
        if result is None or connection is None:
            raise CallError("nothing to send again: no such transaction, or the terminal is offline")
        for _ in range(times):
            self._send(connection, result)
        return times

    # the calls, by name

    def _run(self, given: dict[str, str]) -> dict[str, Any]:
        self.pairings.check(given)
        extra = {name: given[key] for key, name in MORE_FIELDS.items() if given.get(key)}
        return self._ask(given, given["command"], given.get("amount", ""), given.get("refID"), extra)

    def _status(self, given: dict[str, str]) -> dict[str, Any]:
        merchant = self.pairings.check(given)
        ref = given["refID"]
        left = self._results.too_soon(ref, time.monotonic())
        self.pairings.asked(merchant, too_soon=left > 0)
        if left:
            return {"RefID": ref, "ResultCode": "Failed", "ResultFinal": False, "TooSoon": True,
                    "Message": "checkStatus may be called every 5 s for 3 minutes, then every 30 s, for a RefID: ask "
                               f"again in {left:.1f} s"}
        result = self._results.find(ref, given.get("command"))
        if result is None or ("date" in given and result.day != calls.day(given["date"])):
            return {"RefID": ref, "ResultCode": "Failed", "ResultFinal": True,
                    "Message": "No transaction with this RefID, command and date (US Central) was sent to a terminal"}
        return self._current(result)

    def _close_batch(self, given: dict[str, str]) -> dict[str, Any]:
        self.pairings.check(given)
        answer = self._ask(given, "CloseBatch", "", None, {})
        known = any(f"ResultCode{side}" in answer for side in BATCH_SIDES)
        code = UNSUPPORTED if answer["ResultFinal"] and not known else BATCH_FAILED
        blank: dict[str, Any] = {}
        for side in BATCH_SIDES:
            blank |= {f"ResultCode{side}": code, f"Message{side}": answer["Message"], f"BatchNum{side}": "",
                      f"TransCnt{side}": 0, f"Amt{side}": 0.0}
        return {"TerminalID": given["terminalId"],
                **{key: answer.get(key, value) for key, value in blank.items()}, "ResultFinal": answer["ResultFinal"]}

    def _user_input(self, given: dict[str, str]) -> dict[str, Any]:
        self.pairings.check(given)
        answer = self._ask(given, "GetUserInput", "", None, {
            "Title": given["title"], "Type": given["type"], "MaxLength": given["maxLength"]})
        return {"TerminalID": given["terminalId"], "ResultCode": answer["ResultCode"], "Message": answer["Message"],
                "UserInput": answer.get("UserInput", ""), "ResultFinal": answer["ResultFinal"]}

    def _pair(self, given: dict[str, str]) -> dict[str, Any]:
        terminal = given["terminalId"]
        if self._registry.current(terminal) is None:
            return {"Status": "Error", "ErrorMessage": f"terminal {terminal} is not online: see its display",
                    "ApiKey": "", "ApiPassword": "", "TerminalID": terminal}
        merchant = self.pairings.pair(given["resellerName"], given["ReferenceID"], terminal)
        return {"Status": "Success", "ErrorMessage": "", "ApiKey": merchant.key, "ApiPassword": merchant.password,
                "TerminalID": terminal}

    def _unpair(self, given: dict[str, str]) -> dict[str, Any]:
        self.pairings.unpair(given)
        return {"Status": "Success", "ErrorMessage": "", "TerminalID": given["terminalId"]}

    # to the terminal and back

    def _ask(self, given: dict[str, str], command: str, amount: str, ref: str | None,
             extra: dict[str, str]) -> dict[str, Any]:
        terminal = given["terminalId"]
        connection = self._registry.current(terminal)
        result = self._start(ref or str(uuid.uuid4()), command, terminal, amount, extra)
        if connection is None:
            self._results.forget(result)
            return _answer(result, "Failed", "Terminal Is Offline", final=True)
        done = Event()
        result.on_answer = done.set
        self._send(connection, result)
        done.wait(float(given.get("wait") or self._timeout))
        result.on_answer = None
        return self._current(result)

    def _start(self, ref: str, command: str, terminal: str, amount: str, extra: dict[str, str]) -> Result:
        fields = {"Command": command, **({"Amount": amount} if amount else {}), "RefID": ref, "TerminalID": terminal,
                  **extra}
        request = json.dumps(fields, separators=(",", ":")).encode()
        return self._results.start(ref, command, terminal, amount, request, now=time.monotonic(), day=self._today())

    def _today(self) -> date:
        return datetime.now(self._zone).date()

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
            "CashBack": 0.0, "CashBackString": "0.00", "GiftCardBalance": None, **dict.fromkeys(ABSENT),
            "Message": message, "RefID": result.ref, "ResultFinal": final, **more}
