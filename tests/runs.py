"""Runs of the real command line, in a process and a folder of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from nixio_reports import Row, Stream, read
from tests.command_line import execute

#: Implementations in the user's current folder: each is the reference with one difference.
IMPLEMENTATIONS = '''
import os, signal, subprocess, sys, time
import nixio_reference as right

HERE = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(HERE, "pids"), "a") as file:
    file.write(f"{os.getpid()} {os.getppid()}\\n")

def hang():
    open(os.path.join(HERE, "hanging"), "w").close()
    while True:
        time.sleep(60)

class Wrapped:
    """Hands everything on to the reference's socket."""
    def __init__(self, domain, type, protocol=None):
        self.inner = right.socket(domain, type, protocol)
        self.kind = f"{domain}-{type}"
    def __getattr__(self, name):
        return getattr(self.inner, name)

class mixed(Wrapped):
    """One fault for each kind of verdict."""
    def send(self, *arguments):
        if self.kind == "unix-dgram":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.kind == "unix-stream":
            hang()
        count = self.inner.send(*arguments)
        return count - 1 if self.kind == "inet-dgram" else count

class hanging(Wrapped):
    def send(self, *arguments):
        return hang() if self.kind == "unix-stream" else self.inner.send(*arguments)

class off_by_one(Wrapped):
    def send(self, *arguments):
        return self.inner.send(*arguments) + 1

class without_send(Wrapped):
    def __getattr__(self, name):
        if name == "send":
            raise AttributeError(name)
        return getattr(self.inner, name)

class leaving(Wrapped):
    def send(self, *arguments):
        os._exit(9)

kept = []
class leaking(Wrapped):
    def __init__(self, domain, type, protocol=None):
        super().__init__(domain, type, protocol)
        kept.append(right.socket("inet", "dgram"))

class piping(Wrapped):
    def __init__(self, domain, type, protocol=None):
        super().__init__(domain, type, protocol)
        kept.append(os.pipe())

class spawning(Wrapped):
    def __init__(self, domain, type, protocol=None):
        super().__init__(domain, type, protocol)
        kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

class daemonizing(Wrapped):
    """Leaves a daemon with a session of its own and an empty environment."""
    def send(self, *arguments):
        if self.kind == "inet-dgram":
            if not os.fork():
                os.setsid()
                if not os.fork():
                    with open(os.path.join(HERE, "daemons"), "a") as file:
                        file.write(f"{os.getpid()}\\n")
                    os.execve(sys.executable, [sys.executable, "-S", "-c", "import time; time.sleep(600)"], {})
                os._exit(0)
            os.wait()
            while not os.path.exists(os.path.join(HERE, "daemons")):
                time.sleep(0.005)
        return self.inner.send(*arguments)

class murdering(daemonizing):
    """Kills the process that started the agent."""
    def send(self, *arguments):
        count = super().send(*arguments)
        if self.kind == "inet-dgram":
            os.kill(os.getppid(), signal.SIGKILL)
        return count

class littering(Wrapped):
    """Leaves a lock beside the socket file."""
    def bind(self, host, *port):
        if self.kind == "unix-dgram":
            open(f"{host}.lock", "w").close()
        return self.inner.bind(host, *port)

class renumbering(Wrapped):
    """Gives the host another address."""
    def send(self, *arguments):
        from ipaddress import ip_interface
        from nixio_conformance.netns.netlink import Netlink
        if self.kind == "inet-dgram":
            with Netlink() as near:
                near.address("lo", ip_interface("192.0.2.200/32"))
        return self.inner.send(*arguments)

class helped(Wrapped):
    """Opens a helper once, when it is first needed."""
    def __init__(self, domain, type, protocol=None):
        super().__init__(domain, type, protocol)
        if not kept:
            kept.append(right.socket("inet", "dgram"))

fine = Wrapped
'''


@dataclass
class Finished:
    """A finished run: its exit code, output and report."""

    code: int
    output: str
    errors: str
    report: Path
    _stream: list[Stream] = field(default_factory=list)

    @property
    def stream(self) -> Stream:
        """The result stream."""
        if not self._stream:
            self._stream.append(read(self.report / "results.jsonl"))
        return self._stream[0]

    @property
    def rows(self) -> dict[str, Row]:
        """The rows by the text in brackets in the case's id."""
        return {row.case.partition("[")[2].removesuffix("]"): row for row in self.stream.rows}

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each case."""
        return {name: row.outcome for name, row in self.rows.items()}


class Runs:
    """A user's folder with implementations in it."""

    def __init__(self, folder: Path, checks: Path) -> None:
        self.folder = folder
        self.checks = checks
        self.report = folder / "report"
        (folder / "impls.py").write_text(IMPLEMENTATIONS)

    def command(self, *arguments: str, lab: bool = False) -> list[str]:
        """The command line of a `run` with the probes as checks, on plain loopback unless the test needs the lab."""
        program = [sys.executable, "-m", "nixio_conformance"]
        return [*program, *self.words(f"--report={self.report}", *arguments, lab=lab)]

    def words(self, *arguments: str, lab: bool = False) -> list[str]:
        """Its arguments, without the report's folder."""
        return ["run", f"--checks={self.checks}", "--require=lab" if lab else "--without=lab", *arguments]

    def run(self, *arguments: str, **environment: str) -> Finished:
        """`nixio-conformance run` with these arguments."""
        return self.execute(self.command(*arguments), **environment)

    def execute(self, command: list[str], **environment: str) -> Finished:
        """Any program, in the folder."""
        done = execute(command, self.folder, **environment)
        return Finished(done.returncode, done.stdout, done.stderr, self.report)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A run that continues while the test does something; it receives Ctrl-C even if the tests ignore it."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def daemons(self) -> list[int]:
        """The daemons that an implementation has left."""
        return [int(word) for word in (self.folder / "daemons").read_text().split()]

    def pids(self) -> set[int]:
        """The agents that were started, and the processes that started them."""
        return {int(word) for word in (self.folder / "pids").read_text().split()}
