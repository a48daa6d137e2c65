"""Mutants of the reference terminal: one fault each, and the case that names it.

    terminal_mutants.py MUTANT PRIMARY_PORT SECONDARY_PORT DISPLAY_PORT [attribute=value …]

`caught`: the case that must not pass. `also`: further cases that are about the same fault and may fail with it.
"""
import contextlib
import json
import re
import socket
import sys
import time
from dataclasses import dataclass

from terminal import END, Terminal, main, read


@dataclass(frozen=True)
class Mutant:
    kind: type
    caught: str
    also: tuple[str, ...] = ()


MUTANTS: dict[str, Mutant] = {}


def mutant(caught, *also):
    def keep(kind):
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
        MUTANTS[name] = Mutant(kind, caught, also)
        return kind
    return keep


# 1 The terminator

@mutant("1.1")
class RegisterOneEot(Terminal):
    def register(self):
        return super().register()[:-1]


@mutant("1.1")
class RegisterNoEot(Terminal):
    def register(self):
        return super().register()[:-2]


@mutant("1.1")
class RegisterWithTheNulOfItsText(Terminal):
    def register(self):
        return super().register()[:-2] + b"\0" + END


@mutant("1.1")
class RegisterAndANul(Terminal):
    def register(self):
        return super().register() + b"\0"


@mutant("1.2")
class HeartbeatOneEot(Terminal):
    def beat(self):
        return super().beat()[:-1]


@mutant("1.2")
class HeartbeatNewline(Terminal):
    def beat(self):
        return super().beat()[:-2] + b"\n" + END


class _Responses(Terminal):
    def send(self, data):
        super().send(self.response(data) if data.startswith(b'{"ResultCode"') else data)


@mutant("1.3")
class ResponseOneEot(_Responses):
    def response(self, data):
        return data[:-1]


@mutant("1.3")
class ResponseThreeEot(_Responses):
    def response(self, data):
        return data + b"\x04"


# 2 The connection

@mutant("2.1")
class ClosesWhenIdle(Terminal):
    def idle(self, now):
        super().idle(now)
        if now > self.next_beat - self.heartbeat + 0.8 and not self.busy and self.beats > 1:
            raise OSError("idle")

    beats = 0

    def beat(self):
        self.beats += 1
        return super().beat()

    def answered(self):
        self.beats = 0
        return super().answered()


@mutant("2.2")
class ClosesAfterTransaction(Terminal):
    def finish(self):
        if self.busy and time.monotonic() >= self.busy[2]:
            super().finish()
            raise OSError("done")


@mutant("2.3")
class StaysOnTheOldConnection(Terminal):
    old = None

    def idle(self, now):
        super().idle(now)
        if not self.busy and self.old is None and now > self.first + 3:
            self.old = socket.create_connection(("127.0.0.1", self.ports[1]), 2)
            self.old.sendall(self.register())
            self.old, self.sock = self.sock, self.old
        if self.old is not None and now > self.first + 5:
            self.first = now
            self.old.sendall(self.beat())

    def answered(self):
        self.first = time.monotonic()
        return super().answered()


@mutant("2.4")
class SecondaryFirst(Terminal):
    def forever(self):
        self.ports = self.ports[::-1]
        super().forever()


@mutant("2.5", "2.6", "2.7", "2.8", "2.19")
class PrimaryOnly(Terminal):
    def forever(self):
        self.ports = self.ports[:1]
        super().forever()


@mutant("2.6")
class WaitsLongForTheDial(Terminal):
    connect_timeout = 100.0


@mutant("2.7", "3.22")
class WaitsForeverForTheAnswer(Terminal):
    answer_timeout = 1000.0


@mutant("2.8", "3.10")
class AsksTheSameAgainWhenRefused(Terminal):
    def session(self, port):
        for _ in range(100):
            try:
                return super().session(port)
            except OSError as error:
                if "refused" not in str(error) or error.errno:
                    raise
                self.sock.close()
                time.sleep(1.0)
        return None


@mutant("2.9", "2.10", "2.11", "2.12", "2.13", "2.15", "2.16")
class SlowToReturn(Terminal):
    def forever(self):
        self.pause = 30.0
        super().forever()


@mutant("2.9")
class NeverReturns(Terminal):
    def session(self, port):
        try:
            super().session(port)
        finally:
            if self.online:
                self.online = False
                self.sock.close()
                time.sleep(10000)


@mutant("2.10", "2.13", "5.20", "5.22")
class GivesUpAfterReset(Terminal):
    def session(self, port):
        try:
            super().session(port)
        except ConnectionResetError:
            self.online = False
            time.sleep(20)


@mutant("2.14", "2.13")
class DialsWithoutAnyPause(Terminal):
    pause = 0.0


@mutant("2.13")
class ExponentialWithoutBound(Terminal):
    count = None    # from the first registration on: before it, nobody may listen yet

    def session(self, port):
        if self.count is not None:
            self.count += 1
            if self.count > 18:     # within the four seconds of its case, but not while the display is looked at
                time.sleep(60)
        super().session(port)

    def answered(self):
        done = super().answered()
        if done:
            self.count = 0
        return done


@mutant("2.15", "2.16", "2.13", "6.5")
class SulksWhenItIsRefused(Terminal):
    """As soon as nobody listens at either port."""
    refused = None      # from the first registration on: before it, nobody may listen yet

    def session(self, port):
        try:
            super().session(port)
        except ConnectionRefusedError:
            if self.refused is not None:
                self.refused += 1
                if self.refused > 2:
                    time.sleep(120)
            raise

    def answered(self):
        done = super().answered()
        self.refused = 0 if done else self.refused
        return done


@mutant("2.3", "2.4")
class RegistersAtBothEndpoints(Terminal):
    other = None

    def answered(self):
        done = super().answered()
        if done and self.other is None:
            with contextlib.suppress(OSError):
                port = self.ports[self.sock.getpeername()[1] == self.ports[0]]
                self.other = socket.create_connection(("127.0.0.1", port), 2)
                self.other.sendall(self.register())
        return done

    def session(self, port):
        try:
            super().session(port)
        finally:
            if self.other is not None:
                self.other.close()
                self.other = None


# 3 The registration

class _Fields(Terminal):
    def register(self):
        return json.dumps(self.fields(json.loads(super().register()[:-2]))).encode() + END


@mutant("3.1")
class TypographicQuotes(Terminal):
    def register(self):
        return super().register().replace(b'"', "\u201d".encode())


@mutant("3.1")
class NoOpeningBrace(Terminal):
    def register(self):
        return super().register()[1:]


@mutant("3.2")
class NamesInLowerCase(_Fields):
    def fields(self, fields):
        return {name.lower(): value for name, value in fields.items()}


@mutant("3.2")
class NoSoftwareVersion(_Fields):
    def fields(self, fields):
        return {name: value for name, value in fields.items() if name != "SoftwareVersion"}


@mutant("3.2")
class FurtherField(_Fields):
    def fields(self, fields):
        return {**fields, "Battery": "80"}


@mutant("3.3")
class AckIsABoolean(_Fields):
    def fields(self, fields):
        return {**fields, "AckHeartbeat": True}


@mutant("3.3")
class TerminalIdIsANumber(_Fields):
    def fields(self, fields):
        return {**fields, "TerminalID": int(fields["TerminalID"])}


@mutant("3.4")
class FieldsSorted(_Fields):
    def fields(self, fields):
        return dict(sorted(fields.items()))


@mutant("3.5")
class OtherTerminalId(_Fields):
    def fields(self, fields):
        return {**fields, "TerminalID": "00000000"}


@mutant("3.7")
class WaitsForEotAfterOk(Terminal):
    def answered(self):
        return END in self.buffer and super().answered()


@mutant("3.8")
class RefusesOkWithNewline(Terminal):
    def success(self, answer):
        return super().success(answer) and not self.buffer.startswith(b"\r")


@mutant("3.9")
class TakesTheFirstSegmentForTheAnswer(Terminal):
    def answered(self):
        if self.buffer and not self.buffer.startswith(b"OK-REGISTRATION"):
            raise OSError("refused")
        return super().answered()


class _Accepts(Terminal):
    def answered(self):
        if self.wrong(self.buffer):
            self.buffer = b""
            self.next_beat = time.monotonic() + self.heartbeat
            return True
        return super().answered()


@mutant("3.12")
class AcceptsOk(_Accepts):
    def wrong(self, data):
        return data.startswith(b"OK\x04")


@mutant("3.13")
class IgnoresCase(_Accepts):
    def wrong(self, data):
        return data.startswith(b"ok-registration")


@mutant("3.14", "3.15")
class AcceptsWhatBeginsWithOk(_Accepts):
    def wrong(self, data):
        return data.startswith((b"OK-REGISTRATION-", b"OK-REGISTRATION "))


@mutant("3.10", "2.8")
class AcceptsFailed(_Accepts):
    def wrong(self, data):
        return data.startswith(b"FAILED-REGISTRATION")


@mutant("3.19")
class AcceptsALoginPage(_Accepts):
    def wrong(self, data):
        return data.startswith(b"HTTP/1.1 200")


@mutant("3.22", "2.7", "3.19", "6.4")
class OnlineWithoutAnswer(Terminal):
    def answered(self):
        return time.monotonic() > self.since + 0.5 or super().answered()

    def register(self):
        self.since = time.monotonic()
        return super().register()


@mutant("3.22", "2.7")
class BeatsWithoutAnswer(Terminal):
    def answered(self):
        if time.monotonic() > self.since + 1.0:
            self.since += 1.0
            self.send(self.beat())
        return super().answered()

    def register(self):
        self.since = time.monotonic()
        return super().register()


@mutant("3.25")
class CountsItsRegistrations(_Fields):
    count = 0

    def fields(self, fields):
        self.count += 1
        return {**fields, "SoftwareVersion": f"SomeProcessor v1.{self.count}"}


@mutant("3.26", "1.1")
class HeartbeatBeforeRegister(Terminal):
    def register(self):
        return self.beat() + super().register()


@mutant("3.27")
class RegistersAgainAndAgain(Terminal):
    def beat(self):
        return super().beat() + self.register()


@mutant("3.24")
class SulksAfterFailure(Terminal):
    def success(self, answer):
        if answer == b"FAILED-INVALID-TERMINAL-TYPE":
            self.sock.close()
            time.sleep(10000)
        return super().success(answer)


@mutant("3.29")
class RunsFailed(Terminal):
    def message(self, frame):
        self.request(frame) if frame.startswith(b"FAILED") else super().message(frame)


# 4 The heartbeat

@mutant("4.1")
class NoHeartbeat(Terminal):
    heartbeat = 1e9


@mutant("4.1")
class TheFirstHeartbeatComesLate(Terminal):
    def answered(self):
        done = super().answered()
        self.next_beat = time.monotonic() + 3 * self.heartbeat
        return done


@mutant("4.2")
class BeatsTwiceAsOften(Terminal):
    heartbeat = 0.5


@mutant("4.2")
class BeatsTooSeldom(Terminal):
    heartbeat = 1.9


@mutant("4.4")
class OtherHeartbeat(Terminal):
    def beat(self):
        return b'{"Command":"Heartbeat"}' + END


@mutant("4.4")
class HeartbeatWithId(Terminal):
    def beat(self):
        return b'{"Command":"TerminalHeartbeat","TerminalID":"29531204"}' + END


@mutant("4.5")
class BeatsInTransactions(Terminal):
    def idle(self, now):
        busy, self.busy = self.busy, None
        if busy and now >= self.next_beat:
            super().idle(now)
        self.busy = busy
        super().idle(now)


@mutant("4.6", "4.7", "4.8", "4.9", "4.12")
class RunsAcknowledgements(Terminal):
    def message(self, frame):
        if read(frame) == {"Status": "OK"}:
            self.unacknowledged = None
            self.request(frame + b" " * self.runs)
        else:
            super().message(frame)


@mutant("4.7", "5.3")
class WaitsForEotAlways(Terminal):
    def frames(self):
        while END in self.buffer:
            frame, _, self.buffer = self.buffer.partition(END)
            if frame.strip(b"\x04\r\n "):
                yield frame.strip(b"\x04\r\n ")


@mutant("4.10")
class NeverMindsTheAcknowledgement(Terminal):
    def idle(self, now):
        self.unacknowledged = None
        super().idle(now)


@mutant("4.13", "4.7")
class NoHeartbeatAfterTransactions(Terminal):
    def finish(self):
        if self.busy and time.monotonic() >= self.busy[2]:
            self.next_beat = 1e12
        super().finish()


# 5 Transactions

@mutant("5.1")
class RunsTwice(Terminal):
    def application(self, request):
        super().application(request)
        return super().application(request)


@mutant("5.1")
class AnswersTwice(_Responses):
    def response(self, data):
        return data + data


@mutant("5.2")
class WritesTheRequestAnew(Terminal):
    def request(self, frame):
        super().request(json.dumps(read(frame), separators=(",", ":")).encode() if read(frame) else frame)


@mutant("5.2")
class HandsOverTheEot(Terminal):
    def application(self, request):
        return super().application(request + b"\x04")


@mutant("5.4", "5.5", "5.6", "5.7", "5.10", "3.9", "4.9", "5.8")
class TakesASegmentForAMessage(Terminal):
    def frames(self):
        frame, self.buffer = self.buffer.strip(b"\x04\r\n "), b""
        if b"}\x04\x04{" in frame or b"}{" in frame:
            yield from re.split(rb"(?<=\})\x04*(?=\{)", frame)
        elif frame:
            yield frame


@mutant("5.4")
class DecodesEachSegmentAlone(Terminal):
    seen = b""

    def frames(self):
        seen = self.seen if self.buffer.startswith(self.seen) else b""
        self.buffer = seen + self.buffer[len(seen):].decode("utf-8", "ignore").encode()
        yield from super().frames()
        self.seen = self.buffer


class _Pause(Terminal):
    """Takes silence for the end of a message."""
    last = 0.0

    def frames(self):
        if self.buffer != getattr(self, "seen", b""):
            self.seen, self.last = self.buffer, time.monotonic()
        yield from super().frames()
        if self.buffer and time.monotonic() > self.last + self.gap:
            frame, self.buffer = self.buffer, b""
            yield frame


@mutant("5.6", "5.7")
class ShortGapEndsAMessage(_Pause):
    gap = 0.3


@mutant("5.7")
class OneSecondEndsAMessage(_Pause):
    gap = 1.0


@mutant("5.8", "5.9", "5.14", "3.28")
class DropsWhatIsBehindAMessage(Terminal):
    def frames(self):
        for frame in super().frames():
            self.buffer = b""
            yield frame


@mutant("5.10", "5.26")
class SmallBuffer(Terminal):
    def frames(self):
        if len(self.buffer) > 32768:
            self.buffer = b""
        yield from super().frames()


@mutant("5.11", "5.12", "5.13", "5.22")
class ShortAnswers(_Responses):
    def response(self, data):
        return data[:1024] + END if len(data) > 1026 else data


@mutant("5.12", "5.13", "5.22")
class AnswersUpTo64K(_Responses):
    def response(self, data):
        return data[:65536] + END if len(data) > 65538 else data


@mutant("5.14")
class IgnoresTheTenthInAHurry(Terminal):
    def __init__(self, *words):
        super().__init__(*words)
        self.times = [0.0] * 9

    def request(self, frame):
        now = time.monotonic()
        self.times = [*self.times[1:], now]
        if now > self.times[0] + 0.75 or now == self.times[0]:
            super().request(frame)


@mutant("5.21", "5.22", "5.23")
class ChargesAgain(Terminal):
    def forever(self):
        class Forgets(dict):
            def __contains__(self, key):
                return False
        self.done = Forgets()
        super().forever()


@mutant("5.24")
class IgnoresASecondRequest(Terminal):
    def request(self, frame):
        if not self.busy or frame == self.busy[0]:
            super().request(frame)


# 6 The display

@mutant("6.1", "6.5")
class OtherWords(Terminal):
    def display(self):
        return {**super().display(), "display": "Online" if self.online else "POS Offline"}


@mutant("6.2", "6.3")
class AlwaysOnline(Terminal):
    def display(self):
        return {**super().display(), "display": "POS Online"}


@mutant("6.3")
class OfflineInGrey(Terminal):
    def display(self):
        return {**super().display(), "color": "#808080"}


@mutant("6.4", "3.22")
class OnlineWhenConnected(Terminal):
    connected = False

    def display(self):
        return {**super().display(), "display": "POS Online" if self.connected else "POS Offline"}

    def register(self):
        self.connected = True
        return super().register()

    def forever(self):
        def session(port):
            try:
                Terminal.session(self, port)
            finally:
                self.connected = False
        self.session = session
        super().forever()

# Faults of terminals that nobody here has made, but somebody will

@mutant("3.26", "2.9")
class RegistersOnlyOnce(Terminal):
    """A connection that returns goes on where the last one ended."""
    known = False

    def register(self):
        return b"" if self.known else super().register()

    def answered(self):
        if not self.known:
            self.known = super().answered()
            return self.known
        self.next_beat = time.monotonic()
        return True


@mutant("2.2", "5.1", "3.26", "3.27")
class AnswersOverAConnectionOfItsOwn(_Responses):
    def response(self, data):
        with socket.create_connection(("127.0.0.1", self.ports[0]), 2) as other:
            other.sendall(data)
        return b""


@mutant("5.12", "5.13", "1.3", "5.22")
class EotBehindEachChunk(_Responses):
    def response(self, data):
        return b"".join(data[at:at + 16384] + END for at in range(0, len(data) - 2, 16384))


@mutant("5.2")
class ReadsRequestsAsLatin1(Terminal):
    def application(self, request):
        return super().application(request.decode("latin-1").encode())


@mutant("5.2")
class DropsWhatMentionsAStatus(Terminal):
    def message(self, frame):
        if b'"Status":"OK"' in frame:
            self.unacknowledged = None
        else:
            super().message(frame)


@mutant("5.2")
class TakesAnyFailedForARefusal(Terminal):
    def message(self, frame):
        if b"FAILED-REGISTRATION" in frame:
            raise OSError("withdrawn")
        super().message(frame)


@mutant("4.1", "4.10", "4.7", "4.8", "4.9", "4.13")
class StopsBeatingAfterThree(Terminal):
    beats = 0

    def beat(self):
        self.beats += 1
        return super().beat()

    def idle(self, now):
        if self.beats >= 3:
            self.next_beat = 1e12
        super().idle(now)

    def answered(self):
        self.beats = 0
        return super().answered()


@mutant("4.2", "4.1", "4.7", "4.8", "4.9", "4.13")
class BeatsSlowerAndSlower(Terminal):
    def beat(self):
        self.heartbeat = min(self.heartbeat * 1.2, 5.0)
        return super().beat()

    def answered(self):
        self.heartbeat = 1.0
        return super().answered()


@mutant("6.2", "6.3", "6.4", "3.22")
class TheDisplayLagsBehind(Terminal):
    seen = 0.0

    def display(self):
        if self.online:
            self.seen = time.monotonic()
        return {**super().display(), "display": "POS Online" if time.monotonic() < self.seen + 15 else "POS Offline"}


@mutant("6.5")
class TheDisplayStaysOffline(Terminal):
    refused, known = 0, False

    def display(self):
        shown = super().display()
        return {**shown, "display": "POS Offline", "color": "red"} if self.refused else shown

    def answered(self):
        self.known = super().answered()
        return self.known

    def session(self, port):
        try:
            super().session(port)
        except ConnectionRefusedError:
            self.refused += self.known
            raise


@mutant("2.11")
class OverlooksTheEndOfTheStream(Terminal):
    def session(self, port):
        class Never:
            def __init__(self, sock):
                self.sock = sock

            def recv(self, size):
                data = self.sock.recv(size)
                time.sleep(0 if data else 0.02)
                return data or b" "

            def __getattr__(self, name):
                return getattr(self.sock, name)

        real = socket.create_connection
        socket.create_connection = lambda *words: Never(real(*words))
        try:
            super().session(port)
        finally:
            socket.create_connection = real


@mutant("2.20")
class StaysAtTheSecondary(Terminal):
    was_at_the_primary = False

    def answered(self):
        done = super().answered()
        if done and self.sock.getpeername()[1] == self.ports[0]:
            self.was_at_the_primary = True
        elif done and self.was_at_the_primary:
            self.ports = self.ports[::-1]
            self.was_at_the_primary = False
        return done


@mutant("2.4", "2.20")
class TakesTurnsBetweenTheEndpoints(Terminal):
    def forever(self):
        def session(port):
            try:
                Terminal.session(self, port)
            finally:
                if self.online:
                    self.ports = self.ports[::-1]
        self.session = session
        super().forever()


@mutant("5.1", "3.27")
class RunsEmptyMessages(Terminal):
    def frames(self):
        while self.buffer:
            if self.buffer.startswith(END):
                self.buffer = self.buffer[2:]
                yield b""
                continue
            before = self.buffer
            for frame in super().frames():
                yield frame
                break
            if self.buffer == before:
                return


@mutant("3.27")
class SendsItsLastAnswerAgain(Terminal):
    def answered(self):
        done = super().answered()
        if done and self.done:
            self.send(list(self.done.values())[-1] + END)
        return done


@mutant("3.27")
class SaysThatItIsReady(Terminal):
    def answered(self):
        done = super().answered()
        if done:
            self.send(b'{"Message":"ready"}' + END)
        return done


@mutant("3.27")
class TellsItsBattery(Terminal):
    told = 0.0

    def idle(self, now):
        super().idle(now)
        if now > self.told + 1.5:
            self.told = now
            self.send(b'{"Command":"TerminalStatus","Battery":"80"}' + END)


@mutant("3.27")
class RegistersAgainWhileItWaits(Terminal):
    def register(self):
        self.asked = time.monotonic()
        return super().register()

    def answered(self):
        if time.monotonic() > self.asked + 0.5:
            self.send(self.register())
        return super().answered()


@mutant("2.3", "2.4", "2.20")
class KeepsTheOldConnection(Terminal):
    """After a while it registers again, and holds the connection that it had."""
    kept = None

    def idle(self, now):
        super().idle(now)
        if not self.busy and self.kept is None and now > self.first + 3:
            self.kept, self.sock = self.sock, socket.create_connection(("127.0.0.1", self.ports[0]), 2)
            self.online = False
            self.buffer = b""
            self.send(self.register())

    def answered(self):
        self.first = time.monotonic()
        return super().answered()


@mutant("1.3")
class AnswersBeginWithEot(_Responses):
    def response(self, data):
        return END + data


@mutant("2.1")
class ClosesAfterTwelveSeconds(Terminal):
    def idle(self, now):
        super().idle(now)
        if now > self.first + 12 and not self.busy:
            raise OSError("old")

    def answered(self):
        self.first = time.monotonic()
        return super().answered()


@mutant("5.11", "5.12", "5.13")
class WritesAnswersAnew(_Responses):
    def response(self, data):
        return json.dumps(read(data[:-2]), separators=(",", ":")).encode() + END


@mutant("3.20")
class TakesNothingForSuccess(_Accepts):
    def wrong(self, data):
        return data.startswith(END)


@mutant("3.17", "3.18")
class TakesAnAcknowledgementForSuccess(_Accepts):
    def wrong(self, data):
        return data.startswith(b'{"Status"')


@mutant("3.12", "3.13", "3.14", "3.15", "3.16", "3.17", "3.18", "3.19", "3.20", "3.21")
class TakesWhatIsNotFailedForSuccess(_Accepts):
    def wrong(self, data):
        return END in data and not data.startswith((b"FAILED", b"OK-REGISTRATION" + END))


@mutant("3.10", "3.11", "2.8")
class WorksThoughRefused(Terminal):
    def success(self, answer):
        if answer.startswith(b"FAILED"):
            deadline = time.monotonic() + 2.5
            self.sock.settimeout(0.1)
            while time.monotonic() < deadline:
                try:
                    self.buffer += self.sock.recv(65536)
                except TimeoutError:
                    continue
                for frame in self.frames():
                    self.message(frame)
        return super().success(answer)


@mutant("6.1", "6.5")
class OnlineInOtherLetters(Terminal):
    def display(self):
        return {**super().display(), "display": "POS ONLINE" if self.online else "POS Offline"}


@mutant("5.20")
class RunsWhatBrokeOff(Terminal):
    def session(self, port):
        try:
            super().session(port)
        finally:
            if self.online and self.buffer.startswith(b'{"Command":"Sale"'):
                self.application(self.buffer)



if __name__ == "__main__":
    main(MUTANTS[sys.argv[1]].kind, sys.argv[2:])
