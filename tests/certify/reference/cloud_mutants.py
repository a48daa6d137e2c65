"""Mutants of the reference cloud: one fault each, and the case that names it (see terminal_mutants).

    cloud_mutants.py MUTANT PRIMARY_PORT SECONDARY_PORT HTTP_PORT
"""
import contextlib
import json
import re
import sys
import threading
import time
from dataclasses import dataclass

from cloud import END, Cloud, Connection, main, read


@dataclass(frozen=True)
class Mutant:
    kind: type
    caught: str
    also: tuple[str, ...] = ()


MUTANTS: dict[str, Mutant] = {}


def mutant(caught, *also):
    def keep(kind):
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
        if issubclass(kind, Connection):
            kind = type(kind.__name__, (Cloud,), {"connection": kind})
        MUTANTS[name] = Mutant(kind, caught, also)
        return kind
    return keep


@mutant("C1.1", "C5.4", "C1.4")
class OneEotEnds(Connection):
    def messages(self):
        while b"\x04" in self.buffer:
            message, _, self.buffer = self.buffer.partition(b"\x04")
            if message:
                yield message


@mutant("C1.2", "C1.1")
class TakesWholeJson(Connection):
    def messages(self):
        self.buffer = self.buffer.lstrip(b"\x04")
        while self.buffer:
            try:
                text = self.buffer.decode()
                size = len(text[:json.JSONDecoder().raw_decode(text)[1]].encode())
            except ValueError:
                yield from super().messages()
                return
            message, self.buffer = self.buffer[:size], self.buffer[size:].lstrip(b"\x04")
            yield message


@mutant("C1.3", "C1.1", "C1.2", "C1.4", "C3.9", "C4.4", "C5.3", "C5.4", "C5.5")
class TakesASegmentForAMessage(Connection):
    def messages(self):
        message, self.buffer = self.buffer.replace(END, b""), b""
        if message:
            yield message


@mutant("C1.4")
class DropsAHalfEnd(Connection):
    def messages(self):
        if self.id and self.buffer.endswith(b"\x04") and not self.buffer.endswith(END):
            self.buffer = b""
        yield from super().messages()


@mutant("C1.5")
class ClosesOnAnEmptyMessage(Connection):
    def messages(self):
        if self.id and self.buffer.startswith(END):
            raise OSError("empty")
        yield from super().messages()


@mutant("C2.1", "C4.5", "C4.8")
class ClosesIdleConnections(Connection):
    idle = 3.0


@mutant("C2.1")
class GreetsUnasked(Connection):
    def text(self, answer):
        threading.Timer(1.0,
            lambda: self.send(b"WELCOME" + END)).start() if answer.startswith(b"OK") and self.cloud.fresh() else None
        return super().text(answer)


def _fresh(self):
    self.count = getattr(self, "count", 0) + 1
    return self.count == 1


Cloud.fresh = _fresh


@mutant("C2.2")
class DeafSecondary(Cloud):
    ports = 0

    def listen(self, port):
        self.ports += 1
        if self.ports == 2:
            mute = Cloud()
            mute.judge = lambda fields: b"FAILED-REGISTRATION"
            mute.listen(port)
        else:
            super().listen(port)


@mutant("C2.2")
class ClosedSecondary(Cloud):
    ports = 0

    def listen(self, port):
        self.ports += 1
        if self.ports != 2:
            super().listen(port)


@mutant("C2.3", "C5.6", "C5.7")
class HoldsAResetAgainstIt(Connection):
    def serve(self):
        self.sock.settimeout(self.idle)
        try:
            while data := self.sock.recv(65536):
                self.buffer += data
                for message in self.messages():
                    self.take(message)
        except ConnectionResetError:
            if self.id:
                self.cloud.until = time.monotonic() + 0.3
        except OSError:
            pass
        self.leave()

    def text(self, answer):
        if answer.startswith(b"OK") and time.monotonic() < getattr(self.cloud, "until", 0.0):
            return b"FAILED-REGISTRATION" + END
        return super().text(answer)


@mutant("C3.8", "C2.3")
class RefusesWhoIsThere(Cloud):
    def judge(self, fields):
        answer = super().judge(fields)
        there = answer == b"OK-REGISTRATION" and fields["TerminalID"] in self.terminals
        return b"FAILED-REGISTRATION" if there else answer


@mutant("C3.1", "C3.7")
class AnswersInLowerCase(Connection):
    def text(self, answer):
        return answer.lower().replace(b"failed", b"FAILED") + END if answer.startswith(b"OK") else answer + END


@mutant("C3.2")
class TakesEveryType(Cloud):
    def judge(self, fields):
        if isinstance(fields.get("TerminalType"), str):
            self.types.add(fields["TerminalType"])
        return super().judge(fields)


@mutant("C3.2")
class InvalidTypeIsAnyFailure(Cloud):
    def judge(self, fields):
        answer = super().judge(fields)
        return b"FAILED-REGISTRATION" if answer.startswith(b"FAILED") else answer


@mutant("C3.3")
class TakesMissingFields(Cloud):
    def judge(self, fields):
        return super().judge({"TerminalType": "TerminalManufacturer",
            **fields} if fields.get("Command") == "Register" else fields)


@mutant("C3.4", "C3.7")
class SilentOnNoJson(Connection):
    def take(self, message):
        if self.id is None and not read(message):
            raise OSError("no JSON")
        super().take(message)


@mutant("C3.5", "C3.7")
class AcksBeforeRegistration(Connection):
    def take(self, message):
        if self.id is None and read(message).get("Command") == "TerminalHeartbeat":
            self.send(b'{"Status":"OK"}' + END)
        else:
            super().take(message)


@mutant("C3.6")
class RemembersFailures(Cloud):
    failed = False

    def judge(self, fields):
        answer = super().judge(fields)
        if self.failed:
            self.failed = False
            return b"FAILED-REGISTRATION"
        self.failed = "TerminalType" not in fields and fields.get("Command") == "Register"
        return answer


@mutant("C3.7")
class FailsWithAReason(Connection):
    def text(self, answer):
        return answer + b": see the log" + END if answer.startswith(b"FAILED-REG") else answer + END


@mutant("C3.8")
class KeepsTheOlder(Connection):
    def take(self, message):
        older = next(iter(self.cloud.terminals.values()), None)
        super().take(message)
        if older is not None and self.id in self.cloud.terminals and older.id == self.id:
            self.cloud.terminals[self.id] = older


@mutant("C3.9")
class DropsWhatIsBehindARegister(Connection):
    def messages(self):
        for message in super().messages():
            if self.id is None:
                self.buffer = b""
            yield message


@mutant("C4.1")
class NoAcknowledgement(Connection):
    def beat(self):
        pass


@mutant("C4.2")
class AlwaysAcknowledges(Connection):
    def beat(self):
        self.send(b'{"Status":"OK"}' + END)


@mutant("C4.3")
class AckOneEot(Connection):
    def beat(self):
        if self.ack:
            self.send(b'{"Status":"OK"}\x04')


@mutant("C4.4")
class OneAckForABurst(Connection):
    last = 0.0

    def beat(self):
        if time.monotonic() > self.last + 0.02:
            self.last = time.monotonic()
            super().beat()


@mutant("C4.7", "C4.4", "C1.4", "C1.5", "C3.9")
class AcksTwice(Connection):
    def beat(self):
        super().beat()
        super().beat()


@mutant("C4.5")
class TiredAfterTenSeconds(Connection):
    def beat(self):
        self.began = getattr(self, "began", time.monotonic())
        if time.monotonic() < self.began + 7:
            super().beat()


@mutant("C5.1")
class UrlLeadsNowhere(Cloud):
    def run(self, given):
        return b""


@mutant("C5.2", "C5.10")
class ForgetsTheAuthCode(Cloud):
    def told(self, answer, given):
        return super().told(answer.replace(b'"AuthCode":"', b'"AuthCode":"0') if answer else answer, given)


@mutant("C5.4")
class AnswersWithHalf(Connection):
    def messages(self):
        if self.id and b"RefID" not in self.buffer and b"AuthCode" in self.buffer and self.buffer.endswith(b"\x04"):
            self.response(self.buffer.rstrip(b"\x04"))
        yield from super().messages()


@mutant("C5.5")
class AnswersUpTo64K(Connection):
    def response(self, message):
        super().response(message[:65536])


@mutant("C5.6", "C5.7")
class ApprovesWhatNobodyAnswered(Cloud):
    def told(self, answer, given):
        return answer or json.dumps({"ResultCode": "Approved", "RefID": given["refID"], "AuthCode": "000000"}).encode()


@mutant("C5.7")
class ForgetsLateAnswers(Cloud):
    def status(self, given):
        return super().status({"refID": None})


@mutant("C5.8")
class ApprovesForNobody(Cloud):
    def run(self, given):
        if given.get("terminalId") not in self.terminals:
            return json.dumps({"ResultCode": "Approved", "RefID": given["refID"]}).encode()
        return super().run(given)


@mutant("C5.9", "C4.1")
class AHeartbeatIsAResponse(Connection):
    def beat(self):
        super().beat()
        if not self.answered.is_set() and self.answer is None:
            self.response(b'{"Command":"TerminalHeartbeat"}')


@mutant("C5.10")
class MixesUpAnswers(Cloud):
    """The fifth of those that come without a pause gets the fourth's."""
    last, count, before = None, 0, 0.0

    def told(self, answer, given):
        now = time.monotonic()
        self.count = self.count + 1 if now < self.before + 0.4 else 1
        self.before = now
        self.last, answer = answer, (self.last if self.count == 5 else answer)
        return super().told(answer, given)

# Faults of clouds that nobody here has made, but somebody will

@mutant("C5.1", "C5.10", "C5.11", "C3.8")
class SendsTheRequestTwice(Connection):
    def send(self, data):
        super().send(data + data if data.startswith(b'{"Command"') else data)


@mutant("C5.11")
class SendsToWhoeverCameLast(Cloud):
    def run(self, given):
        if given.get("terminalId") in self.terminals:
            given = {**given, "terminalId": next(reversed(self.terminals))}
        return super().run(given)


@mutant("C3.8")
class SendsToTheOlderToo(Connection):
    older = None

    def take(self, message):
        before, new = next(iter(self.cloud.terminals.values()), None), self.id is None
        super().take(message)
        if new and before is not None and before.id == self.id:
            self.older = before

    def sell(self, request, timeout):
        if self.older is not None:
            with contextlib.suppress(OSError):
                self.older.send(json.dumps(request).encode() + END)
        return super().sell(request, timeout)


@mutant("C5.2")
class LeavesOutWhatItDoesNotKnow(Cloud):
    def told(self, answer, given):
        fields = read(answer) if answer else {}
        known = {name: value for name, value in fields.items() if name not in ("CardType", "Last4")}
        return super().told(json.dumps(known).encode() if fields else answer, given)


@mutant("C5.2")
class ReadsAnswersAsLatin1(Cloud):
    def told(self, answer, given):
        return super().told(answer.decode("latin-1").encode() if answer else answer, given)


@mutant("C2.1")
class ClosesAfterATransaction(Connection):
    def response(self, message):
        super().response(message)
        raise OSError("done")


@mutant("C4.5")
class ClosesAfterTenSilentSeconds(Connection):
    idle = 10.0


@mutant("C4.3")
class AckWithSpaces(Connection):
    def beat(self):
        if self.ack:
            self.send(b'{"Status": "OK"}' + END)


@mutant("C3.1")
class TakesItsTimeToAnswer(Connection):
    def text(self, answer):
        time.sleep(7.0)
        return super().text(answer)


@mutant("C3.3")
class TakesAnEmptyTerminalId(Cloud):
    def judge(self, fields):
        if fields.get("TerminalID") == "":
            fields = {**fields, "TerminalID": "-"}
        return super().judge(fields)


@mutant("C4.7", "C4.4")
class AcksThreeTimesAConnection(Connection):
    count = 0

    def beat(self):
        self.count += 1
        if self.count != 4:
            super().beat()


@mutant("C2.1", "C3.7", "C1.3")
class SaysOkTwice(Connection):
    def text(self, answer):
        return super().text(answer) * (2 if answer.startswith(b"OK") else 1)



if __name__ == "__main__":
    main(MUTANTS[sys.argv[1]].kind(), [int(word) for word in sys.argv[2:5]])
