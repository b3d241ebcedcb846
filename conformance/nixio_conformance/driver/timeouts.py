"""How long the suite waits for something, in seconds, in one place."""

from __future__ import annotations

#: A call on the implementation, not counting the time that its process waited for a processor (`--deadline`).
CALL = 5.0
#: A call on the implementation that has hung, whatever the machine was doing.
HUNG = 60.0
#: An agent's first answer: a language's runtime and the implementation's imports may be slow.
HELLO = 30.0
#: The end of an agent whose input was closed, before it is killed.
ENDING = 2.0
#: Anything at the suite's own peer: over loopback it is there at once, or not at all.
PEER = 5.0
#: Megabytes at the suite's own peer: the agent has to decode them first. The driver reports a call that hangs.
BULK = 20.0
#: A round trip of a probe of this host.
PROBE = 5.0
