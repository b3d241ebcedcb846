"""A Python port inside the test process, for a debugger or coverage: `--in-process`.

It speaks the same lines as an agent's process does, so that nothing above this file knows the difference. Calls run
in a thread of their own, because a call may be left pending; a call that hangs leaves its thread behind.
"""

from __future__ import annotations

import json
import os
import queue
import threading

from nixio_conformance.agents import python
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentCrashed, AgentHung, CannotStart


class InProcess:
    """An agent that is a thread; the same interface as `AgentProcess`."""

    def __init__(self, how: str, name: str) -> None:
        """Import the implementation here; raises `CannotStart`."""
        try:
            self._host = python.Host(python.find(how, name))
        except python.Unavailable as error:
            raise CannotStart(str(error)) from error
        except python.Instead as error:
            raise CannotStart(
                f"{name} is an agent program ({' '.join(error.argv)}): it has a process of its own"
            ) from None
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._replies: queue.Queue[bytes | AgentCrashed] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, daemon=True, name=f"nixio port {name}")
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id: this process."""
        return os.getpid()

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Hand one request over."""
        self._requests.put(line)

    def receive(self, deadline: Deadline) -> bytes:
        """The next reply."""
        while not self.waiting(deadline.remaining()):
            if deadline.remaining() <= 0:
                raise AgentHung(f"the port took more than {deadline.elapsed:.1f} s to answer")
        reply = self._replies.get()
        if isinstance(reply, AgentCrashed):
            raise reply
        return reply

    def waiting(self, seconds: float) -> bool:
        """Whether a reply is there or comes within that time."""
        try:
            reply = self._replies.get(timeout=seconds) if seconds > 0 else self._replies.get_nowait()
        except queue.Empty:
            return False
        # Only this thread takes from the queue and only one reply is ever due, so the order is kept.
        self._replies.put(reply)
        return True

    def stderr(self) -> str:
        """Nothing: pytest shows what the process prints."""
        return ""

    def forget_stderr(self) -> None:
        """Nothing to forget."""

    def kill(self) -> None:
        """Close the port's sockets and let its thread end; a thread that hangs stays behind."""
        self._requests.put(None)
        self._host.reset()

    def _serve(self) -> None:
        while (line := self._requests.get()) is not None:
            request = json.loads(line)
            try:
                reply = self._host.answer(request)
            except BaseException as error:  # SystemExit and the like, which would end a process
                self._replies.put(AgentCrashed(f"the port raised {python.told(error)}"))
                return
            self._replies.put(json.dumps({"id": request["id"], **reply}).encode())
