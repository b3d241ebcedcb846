"""The timeouts of calls, agents and peers, in seconds."""

from __future__ import annotations

#: A call on the implementation, not counting the time that its process waited for a processor (`--deadline`).
CALL = 5.0
#: Upper bound for a call on the implementation, including starvation.
HUNG = 60.0
#: The reply to hello: a language's runtime and the implementation's imports may be slow.
HELLO = 30.0
#: The same once an agent has said hello, or ten times as long as that took, if that is longer but not over `HELLO`.
HELLO_AGAIN = 10.0
#: Between an agent's closing of its streams and its exit, before it is killed.
ENDING = 2.0
#: Between the killing of an agent and its end.
KILLING = 10.0
#: At the end of a case, for threads and processes that it has left.
SETTLING = 0.1
#: An operation of the suite's own peer: over loopback it succeeds at once, or never.
PEER = 5.0
#: The same for megabytes, which the agent has to decode first. The driver reports a call that hangs.
BULK = 20.0
#: A round trip of a host probe.
PROBE = 5.0
#: A whole case, not counting the time that its processes waited for a processor (`--case-deadline`).
CASE = 60.0
#: The same for the cases of a method in which many have timed out.
CASE_SHORT = 5.0
