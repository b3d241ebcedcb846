"""Runs one sequence on an implementation, and compares the outcome of each call with the model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from nixio_conformance.driver.outcome import Outcome, Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.model.datagram_rules import delivered
from nixio_conformance.model.operations import call_of, resolve
from nixio_conformance.model.outcomes import Allowed
from nixio_conformance.model.peers import PeerSocket
from nixio_conformance.model.rules import SocketCall, allowed, create
from nixio_conformance.model.sequences import (
    MAX_SOCKETS,
    Operation,
    OperationSequence,
    initial_operations,
    kinds_of,
)
from nixio_conformance.model.state import UNKNOWN, Owner, Sock, State, System
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch

#: The length of the final calls of recv(): more than any implementation returns at once.
_ALL = 20_000


class Difference(Mismatch):
    """The model does not allow an outcome."""


class Inconclusive(Exception):
    """The peer did not wake a pending call, so that the sequence cannot continue."""


class Runner:
    """Runs one sequence; holds the state of the model and the real sockets, both in the same order."""

    def __init__(self, case: Case, sequence: OperationSequence, system: System, seconds: float | None = None) -> None:
        """`seconds` is the timeout of a call, None for the session's own."""
        self.state = State(system)
        #: The number of calls so far.
        self.calls = 0
        #: The operations that were carried out, with the numbers of existing sockets.
        self.executed: list[Operation] = []
        #: All operations are carried out; the final calls of `OperationSequence.finish` have begun.
        self.finishing = False
        self._last = 0
        self._case = case
        self._sequence = sequence
        self._seconds = seconds
        self._handles: list[ImplSocket | PeerSocket] = []
        self._kinds = kinds_of(sequence)

    def run(self) -> None:
        """Carry out all operations.

        Raises `Difference`, `Inconclusive`, or `AgentError` if the agent crashes or a call times out.
        """
        for number, operation in enumerate(initial_operations(self._sequence)):
            self._execute(operation, number)
        if self._sequence.nonblocking:
            for index, sock in enumerate(self.state.sockets):
                if sock.owner == "implementation":
                    self._execute((index, "setblocking", 0), 0)
        for number, operation in enumerate(self._sequence.operations, 1):
            # It is appended first, because a failing operation raises.
            self.executed.append(resolved := resolve(self.state, operation, self._last))
            if not self._execute(resolved, number):
                self.executed.pop()
            elif isinstance(resolved[0], int):
                self._last = resolved[0]
        if self._sequence.finish:
            self.finishing = True
            self._finish()

    def discard(self) -> None:
        """Close the peers."""
        for handle in self._handles:
            if isinstance(handle, PeerSocket):
                handle.discard()

    def _execute(self, operation: Operation, number: int) -> bool:
        """Carry out one operation; False if it is skipped: impossible in this state, or not specified by the model."""
        if operation[1] in ("socket", "peer"):
            owner: Owner = "implementation" if operation[1] == "socket" else "peer"
            return self._create(owner, operation[2:] == ("other",))
        if operation[1] == "wait":
            return self._wait(operation, number)
        call = self._call_of(operation, number)
        return call is not None and self._call(call)

    def _call_of(self, operation: Operation, number: int) -> SocketCall | None:
        path = self._case.path() if operation[1] == "bind" else ""
        return call_of(self.state, operation, number, path, dual=self._kinds[0] != self._kinds[1])

    def _create(self, owner: Owner, other: bool) -> bool:
        if len(self._handles) >= MAX_SOCKETS:
            return False
        kind = self._kinds[other]
        if owner == "implementation":
            outcome = self._case.open(kind.domain, kind.type)
        else:
            outcome = Returned((PeerSocket(self._case.transcript, kind),))  # type: ignore[arg-type]  # for an ImplSocket
        self._compare("socket()", create(self.state, kind, owner), outcome)
        return True

    # --- calls that return at once

    def _call(self, call: SocketCall) -> bool:
        """Make a call, and retry it while its outcome is transient; False if it is skipped."""
        if not allowed(self.state, call).outcomes:
            return False
        if call.method == "accept" and len(self._handles) >= MAX_SOCKETS:
            return False
        timeout = min(PEER, self._seconds or PEER)
        end = time.monotonic() + timeout
        pause = 0.0002
        steps = self._case.transcript.steps
        before = len(steps)
        while self._compare(self._describe(call), allowed(self.state, call), self._call_once(call)):
            if isinstance(self._handles[call.index], PeerSocket):
                steps.pop()  # the reproducer's peer blocks, and needs no retries
            if time.monotonic() > end:
                expected = str(allowed(self.state, call))
                del steps[before:-1]  # all retries but the last
                raise Difference(self._describe(call), expected, f"nothing else for {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        self._learn_port(call.index)
        return True

    def _describe(self, call: SocketCall) -> str:
        return f"{self._handles[call.index].name}.{call}"

    def _call_once(self, call: SocketCall) -> Outcome:
        self.calls += 1
        handle = self._handles[call.index]
        if isinstance(handle, PeerSocket):
            return handle.call(call.method, *call.arguments)
        return handle.call(call.method, *call.arguments, seconds=self._seconds)

    def _compare(self, what: str, expected: Allowed, outcome: Outcome) -> bool:
        """Compare an outcome with the model and take over the state after it; True if the outcome is transient."""
        match = expected.match(outcome)
        if match is None:
            raise Difference(what, str(expected), str(outcome))
        self.state = match.next_state(outcome)
        if len(self.state.sockets) > len(self._handles) and isinstance(outcome, Returned):
            handle = outcome.values[0]
            assert isinstance(handle, (ImplSocket, PeerSocket))
            self._handles.append(handle)
        return match.transient

    def _learn_port(self, index: int) -> None:
        """Call getsockname() if the system has just chosen a port number, because later operations need it."""
        local = self.state.sockets[index].local
        if local is not None and local.port == UNKNOWN and self.state.sockets[index].phase != "closed":
            self._call(SocketCall(index, "getsockname"))

    # --- calls that block

    def _wait(self, operation: Operation, number: int) -> bool:
        """Start a call that blocks, have a peer act, and compare the call's outcome; False if it is skipped."""
        if len(operation) != 5 or not isinstance(method := operation[2], str):
            return False
        index, _, _, length, action = operation
        call = self._call_of((index, method) if method == "accept" else (index, method, length), number)
        if call is None or not allowed(self.state, call).blocks:
            return False
        handle = self._handles[call.index]
        wake = self._wake(call.index, str(action), number)
        if wake is None or not isinstance(handle, ImplSocket):
            return False
        self.calls += 1
        pending = handle.start(call.method, *call.arguments)
        # In the suite's own process, whether a call blocks cannot be seen from outside.
        if self._case.session.pid != os.getpid() and not pending.blocked():
            outcome = pending.outcome(self._seconds)
            raise Difference(self._describe(call), str(allowed(self.state, call)), str(outcome))
        wake()
        expected = allowed(self.state, call)
        if not expected.outcomes:
            self._case.session.kill()
            raise Inconclusive
        self._compare(self._describe(call), expected, pending.outcome(self._seconds))
        self._learn_port(call.index)
        return True

    def _wake(self, index: int, action: str, number: int) -> Callable[[], object] | None:
        """The call of a peer that ends a blocked call on socket `index`; None if no peer can make one."""
        sock = self.state.sockets[index]
        for other, peer in self.state.open():
            if peer.owner != "peer" or other == index:
                continue
            operation = self._waking_operation(sock, index, other, peer, action)
            if operation is None:
                continue
            call = self._call_of(operation, number)
            if call is not None and allowed(self.state, call).outcomes:
                return lambda call=call: self._call(call)  # type: ignore[misc]
        return None

    def _waking_operation(self, sock: Sock, index: int, other: int, peer: Sock, action: str) -> Operation | None:
        """The operation by which this peer ends a blocked call; for streams, the one named by `action`."""
        if sock.phase == "listening":
            return (other, "connect", index) if peer.phase == "fresh" else None
        if not sock.is_stream:
            if peer.local is None or not delivered(self.state, other, index, b"?").sockets[index].messages:
                return None
            return other, "sendto", 4, index
        if peer.phase != "connected" or peer.out != sock.inp or "wr" in peer.shut:
            return None
        operations: dict[str, Operation] = {"send": (other, "send", 4), "shutdown": (other, "shutdown", "wr")}
        return operations.get(action, (other, "close"))

    # --- the final calls

    def _finish(self) -> None:
        """Ask each socket for its addresses, receive all data that is due, and close: earlier faults show here."""
        for index, method in self._final_questions():
            self._call(SocketCall(index, method))
        for index, _ in enumerate(self.state.sockets):
            while self._is_due(index):
                if not self._call(SocketCall(index, "recv", (_ALL,))):
                    break
        for index, _ in list(self.state.open()):
            self._call(SocketCall(index, "close"))

    def _final_questions(self) -> Iterator[tuple[int, str]]:
        for index, sock in self.state.open():
            if sock.owner == "implementation":
                yield from ((index, method) for method in ("fileno", "getsockname", "getpeername"))

    def _is_due(self, index: int) -> bool:
        """True if the socket has data to receive for certain."""
        sock = self.state.sockets[index]
        if sock.phase == "closed":
            return False
        if sock.is_stream:
            return sock.phase == "connected" and bool(self.state.pipes[sock.inp].data)
        return any(message.guaranteed for message in sock.messages)
