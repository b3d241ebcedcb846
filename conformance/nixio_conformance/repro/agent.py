"""The part of a Python script that speaks the agent protocol, for an implementation in any language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_CLIENT = """\
import itertools, json, subprocess, types

agent = subprocess.Popen({argv!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
numbers = itertools.count(1)


def say(**request):
    line = json.dumps({{"id": next(numbers), **request}})
    print("  >", line, flush=True)
    agent.stdin.write(line.encode() + b"\\n")
    agent.stdin.flush()
    line = agent.stdout.readline().decode().rstrip()
    print("  <", line, flush=True)
    return json.loads(line or '{{"reply": "none: the agent has ended"}}')


def ask(**request):
    reply = say(**request)
    if reply["reply"] != "values":
        raise RuntimeError(reply.get("name") or reply.get("kind") or reply["reply"])
    values = tuple(from_wire(value) for value in reply["values"])
    return values[0] if len(values) == 1 else values


def to_wire(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {{"type": "buffer", "hex": bytes(value).hex()}}
    return list(value) if isinstance(value, tuple) else value


def from_wire(value):
    if not isinstance(value, dict):
        return value
    return bytes.fromhex(value["hex"]) if value["type"] == "buffer" else AgentSocket(value.get("socket"))


class AgentSocket:
    def __init__(self, number):
        self.number = number

    def __getattr__(self, name):
        def method(*arguments):
            return ask(do="call", socket=self.number, method=name, args=[to_wire(value) for value in arguments])

        method.__name__ = name
        return method


def open_agent_socket(*arguments):
    return ask(do="socket", args=[to_wire(value) for value in arguments])


say(do="hello", protocol=1)
nixio = types.SimpleNamespace(socket=open_agent_socket)"""


def lines(argv: Sequence[str]) -> Iterator[str]:
    """Lines that start the agent `argv` and bind `nixio` to it; every request and reply is printed."""
    yield from _CLIENT.format(argv=list(argv)).splitlines()
