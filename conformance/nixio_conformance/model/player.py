"""Makes a play's moves on a port, and holds what comes of each to the model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from nixio_conformance.driver.outcome import Outcome, Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.model import moves
from nixio_conformance.model.messages import delivered
from nixio_conformance.model.moves import Move, Play
from nixio_conformance.model.peers import PeerSocket
from nixio_conformance.model.rules import Call, legal, opened
from nixio_conformance.model.state import UNKNOWN, Sock, State, System
from nixio_conformance.model.ways import Legal
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch

#: How much is asked for in the end: more than any port returns at once.
_ALL = 20_000


class Difference(Mismatch):
    """The port and the model differ."""


class Abandoned(Exception):
    """A call waits, and the peer did not do what was to end that: the play says nothing."""


class Player:
    """One play: the model's sockets and the real ones, side by side."""

    def __init__(self, case: Case, play: Play, system: System, seconds: float | None = None) -> None:
        """`seconds` is what a call may take, if not the session's own deadline."""
        self.state = State(system)
        #: Calls that were made, and the moves that meant something, as they were made.
        self.calls = 0
        self.made: list[Move] = []
        #: All moves are made, and it is the end that is under way.
        self.finishing = False
        self._last = 0
        self._case = case
        self._play = play
        self._seconds = seconds
        self._handles: list[ImplSocket | PeerSocket] = []
        self._kinds = moves.kinds_of(play)

    def run(self) -> None:
        """Make all moves; raises `Difference`, `Abandoned`, or `AgentError` when the agent dies or hangs."""
        for number, move in enumerate(moves.setting_of(self._play)):
            self.make(move, number)
        if self._play.nonblocking:
            for who, sock in enumerate(self.state.sockets):
                if sock.owner == "port":
                    self.make((who, "setblocking", 0), 0)
        for number, move in enumerate(self._play.moves):
            self.made.append(settled := moves.settled(self.state, move, self._last))
            if not self.make(settled, number + 1):
                self.made.pop()
            elif isinstance(settled[0], int):
                self._last = settled[0]
        if self._play.finish:
            self.finishing = True
            self._finish()

    def make(self, move: Move, number: int) -> bool:
        """Make one move; False if it means nothing here, or if the model does not say what comes of it."""
        if move[1] in ("socket", "peer"):
            return self._open("port" if move[1] == "socket" else "peer", move[2:] == ("other",))
        if move[1] == "wait":
            return self._wait(move, number)
        call = self._call_of(move, number)
        return call is not None and self._make(call)

    def discard(self) -> None:
        """Let go of the peers."""
        for handle in self._handles:
            if isinstance(handle, PeerSocket):
                handle.discard()

    def _call_of(self, move: Move, number: int) -> Call | None:
        fresh = self._case.path() if move[1] == "bind" else ""
        return moves.call_of(self.state, move, number, fresh, dual=self._kinds[0] != self._kinds[1])

    def _open(self, owner: str, other: bool) -> bool:
        if len(self._handles) >= moves.MOST_SOCKETS:
            return False
        kind = self._kinds[other]
        if owner == "port":
            outcome = self._case.open(kind.domain, kind.type)
        else:
            outcome = Returned((PeerSocket(self._case.transcript, kind),))  # type: ignore[arg-type]  # for a socket
        self._judge("socket()", opened(self.state, kind, owner), outcome)
        return True

    def _make(self, call: Call) -> bool:
        found = legal(self.state, call)
        if not found.ways or (call.method == "accept" and len(self._handles) >= moves.MOST_SOCKETS):
            return False
        timeout = min(PEER, self._seconds or PEER)
        end = time.monotonic() + timeout
        pause = 0.0002
        steps = self._case.transcript.steps
        before = len(steps)
        while self._judge(self._told(call), legal(self.state, call), self._once(call)):
            if isinstance(self._handles[call.who], PeerSocket):
                steps.pop()  # the peer waits by itself where it is shown again
            if time.monotonic() > end:
                expected = str(legal(self.state, call))
                del steps[before:-1]  # the same again and again
                raise Difference(self._told(call), expected, f"nothing else for {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        self._learn_port(call.who)
        return True

    def _told(self, call: Call) -> str:
        return f"{self._handles[call.who].name}.{call}"

    def _once(self, call: Call) -> Outcome:
        self.calls += 1
        handle = self._handles[call.who]
        if isinstance(handle, PeerSocket):
            return handle.call(call.method, *call.arguments)
        return handle.call(call.method, *call.arguments, seconds=self._seconds)

    def _judge(self, what: str, found: Legal, outcome: Outcome) -> bool:
        """Take an outcome over into the model; whether it is right for the moment only."""
        way = found.match(outcome)
        if way is None:
            raise Difference(what, str(found), str(outcome))
        self.state = way.then(outcome)
        if len(self.state.sockets) > len(self._handles) and isinstance(outcome, Returned):
            handle = outcome.values[0]
            assert isinstance(handle, (ImplSocket, PeerSocket))
            self._handles.append(handle)
        return way.for_now

    def _learn_port(self, who: int) -> None:
        """Ask for a port that the system has just chosen: others are to use it."""
        local = self.state.sockets[who].local
        if local is not None and local.port == UNKNOWN and self.state.sockets[who].phase != "closed":
            self._make(Call(who, "getsockname"))

    # --- calls that wait

    def _wait(self, move: Move, number: int) -> bool:
        """Leave a call pending that has nothing yet, and have a peer do something about it."""
        if len(move) != 5 or not isinstance(method := move[2], str):
            return False
        who, _, _, length, deed = move
        call = self._call_of((who, method) if method == "accept" else (who, method, length), number)
        if call is None or not legal(self.state, call).waits:
            return False
        handle = self._handles[call.who]
        action = self._answer(call.who, str(deed), number)
        if action is None or not isinstance(handle, ImplSocket):
            return False
        self.calls += 1
        pending = handle.start(call.method, *call.arguments)
        # In the suite's own process nobody sees that a call waits, and a play takes no grace for it.
        if self._case.session.pid != os.getpid() and not pending.blocked():
            raise Difference(self._told(call), str(legal(self.state, call)), str(pending.outcome(self._seconds)))
        action()
        found = legal(self.state, call)
        if not found.ways:
            self._case.session.kill()
            raise Abandoned
        self._judge(self._told(call), found, pending.outcome(self._seconds))
        self._learn_port(call.who)
        return True

    def _answer(self, who: int, deed: str, number: int) -> Callable[[], object] | None:
        """What a peer can do about a socket that waits."""
        sock = self.state.sockets[who]
        for other, peer in self.state.open():
            if peer.owner != "peer" or other == who:
                continue
            move = self._deed(sock, who, other, peer, deed)
            if move is None:
                continue
            call = self._call_of(move, number)
            if call is not None and legal(self.state, call).ways:
                return lambda call=call: self._make(call)  # type: ignore[misc]
        return None

    def _deed(self, sock: Sock, who: int, other: int, peer: Sock, deed: str) -> Move | None:
        if sock.phase == "listening":
            return (other, "connect", who) if peer.phase == "fresh" else None
        if not sock.is_stream:
            if peer.local is None or not delivered(self.state, other, who, b"?").sockets[who].messages:
                return None
            return other, "sendto", 4, who
        if peer.phase != "connected" or peer.out != sock.inp or "wr" in peer.shut:
            return None
        deeds: dict[str, Move] = {"send": (other, "send", 4), "shutdown": (other, "shutdown", "wr")}
        return deeds.get(deed, (other, "close"))

    # --- the end

    def _finish(self) -> None:
        """Ask each socket who it is and receive all that is due: what went wrong before shows here at the latest."""
        for who, method in self._questions():
            self._make(Call(who, method))
        for who, _ in enumerate(self.state.sockets):
            while self._is_due(who):
                if not self._make(Call(who, "recv", (_ALL,))):
                    break
        for who, _ in list(self.state.open()):
            self._make(Call(who, "close"))

    def _questions(self) -> Iterator[tuple[int, str]]:
        for who, sock in self.state.open():
            if sock.owner == "port":
                yield from ((who, method) for method in ("fileno", "getsockname", "getpeername"))

    def _is_due(self, who: int) -> bool:
        sock = self.state.sockets[who]
        if sock.phase == "closed":
            return False
        if sock.is_stream:
            return sock.phase == "connected" and bool(self.state.pipes[sock.inp].data)
        return any(message.sure for message in sock.messages)
