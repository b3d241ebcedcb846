"""A Python implementation inside the test process, for a debugger or coverage: `--in-process`.

It exchanges the same lines as an agent process, so that the layers above do not see the difference. Calls run in a
thread of their own, because a call may be left pending. A call that hangs leaves its thread behind.
"""

from __future__ import annotations

import json
import os
import queue
import threading

from nixio_conformance.agents import python
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentCrashed, AgentHung, CannotStart
from nixio_conformance.driver.orphan_guard import guard


class InProcess:
    """An agent that is a thread; implements `Channel`."""

    def __init__(self, how: str, name: str) -> None:
        """Import the implementation into this process; raises `CannotStart`."""
        try:
            self._host = python.ImplementationHost(python.find(how, name))
        except python.Unavailable as error:
            raise CannotStart(str(error)) from error
        except python.Redirect as error:
            raise CannotStart(
                f"{name} is an agent program ({' '.join(error.argv)}): it has a process of its own"
            ) from None
        except Exception as error:  # its attributes are code of the implementation
            raise CannotStart(f"{name} cannot be used: {python.describe(error)}") from error
        guard().start()
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._replies: queue.Queue[bytes | AgentCrashed] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, daemon=True, name=f"nixio implementation {name}")
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of this process."""
        return os.getpid()

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Queue one request for the thread."""
        self._requests.put(line)

    def receive(self, deadline: Deadline) -> bytes:
        """Wait for the next reply."""
        while not self.readable(deadline.remaining()):
            if deadline.remaining() <= 0:
                raise AgentHung(f"the implementation took more than {deadline.elapsed:.1f} s to answer")
        reply = self._replies.get()
        if isinstance(reply, AgentCrashed):
            raise reply
        return reply

    def readable(self, seconds: float) -> bool:
        """Whether a reply is available, or arrives within `seconds`."""
        try:
            reply = self._replies.get(timeout=seconds) if seconds > 0 else self._replies.get_nowait()
        except queue.Empty:
            return False
        # Only this thread takes from the queue and only one reply is ever due, so the order is kept.
        self._replies.put(reply)
        return True

    def stderr(self) -> str:
        """Always empty: pytest captures what this process prints."""
        return ""

    def clear(self) -> None:
        """Do nothing."""

    def kill(self) -> None:
        """Close the implementation's sockets and let the thread end; a thread that hangs is left behind."""
        self._requests.put(None)
        try:
            self._host.reset()
        except KeyboardInterrupt:
            raise
        except BaseException:  # close() is code of the implementation, which may raise even SystemExit
            pass

    def _serve(self) -> None:
        while (line := self._requests.get()) is not None:
            request = json.loads(line)
            try:
                reply = self._host.answer(request)
            except BaseException as error:  # SystemExit and the like, which would end an agent's process
                self._replies.put(AgentCrashed(f"the implementation raised {python.describe(error)}"))
                return
            self._replies.put(json.dumps({"id": request["id"], **reply}).encode())
