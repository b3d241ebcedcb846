"""Agents that can be started once and never again, or that cannot be ended: the run ends, and keeps what was judged."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.processes import running
from tests.runs import Finished, Runs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

#: The first `ALLOWED` agents work until send() is called on one kind of socket; those after them do `FAULT` at once.
ONCE = """
import os, sys, time
from impls import HERE, Wrapped

STARTS = os.path.join(HERE, "starts")
with open(STARTS, "a") as file:
    file.write("x")
if os.path.getsize(STARTS) > {allowed}:
    {fault}

class dying(Wrapped):
    def send(self, *arguments):
        if self.kind == "inet-dgram":
            os._exit(5)
        return self.inner.send(*arguments)
"""
SELECT = ("--select", "send", "--select", "listen", "--select", "kind=inet-*", "--select", "kind=unix-*")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("os._exit(7)", "the agent did not say hello: the agent ended with exit status 7"),
        pytest.param(
            "raise OSError('no library')", "once:dying cannot be imported: OSError: no library", marks=pytest.mark.slow
        ),
    ],
)
def test_the_run_ends_when_no_agent_starts_any_more(runs: Runs, fault: str, why: str) -> None:
    (runs.folder / "once.py").write_text(ONCE.format(allowed=1, fault=fault))
    ends_with(runs.run("--target", "once:dying", *SELECT), why)
    assert (runs.folder / "starts").stat().st_size == 4


@pytest.mark.slow
def test_each_worker_decides_and_the_controller_ends_the_run(runs: Runs) -> None:
    (runs.folder / "once.py").write_text(ONCE.format(allowed=3, fault="os._exit(7)"))
    ends_with(runs.run("--target", "once:dying", *SELECT, "-n", "2"), "exit status 7")


def ends_with(done: Finished, why: str) -> None:
    assert done.code == 3, done.errors + done.output
    assert done.stream.footer
    assert done.stream.footer.exit_code == 3
    assert done.stream.footer.stopped.startswith("no agent starts any more, 3 times in a row: ")
    assert why in done.stream.footer.stopped
    assert why in " ".join(done.output.split())
    outcomes = Counter(row.outcome for row in done.stream.rows)
    assert outcomes["crashed"] >= 1
    assert outcomes["not-run"] >= 1
    assert "Traceback" not in done.errors + done.output


@pytest.mark.slow
def test_plain_pytest_ends_with_the_same_exit_code(runs: Runs) -> None:
    (runs.folder / "once.py").write_text(ONCE.format(allowed=1, fault="os._exit(7)"))
    options = ["--nixio-target=once:dying", "--nixio-select=send.data.arrives", "--nixio-without=lab"]
    done = runs.execute([sys.executable, "-m", "pytest", "-q", str(runs.checks), *options])
    assert done.code == 3, done.output
    assert "no agent starts any more" in done.output


#: An agent of another user, as one that sudo starts. Each call takes as many seconds as its second argument says.
OF_OTHERS = """
import json, os, sys, time
here = os.open(sys.argv[1], os.O_RDONLY)
os.setresuid(65534, 65534, 65534)
for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"], "reply": "values", "values": []}
    if request["do"] == "hello":
        reply = {"id": request["id"], "reply": "hello", "protocol": 1, "name": "of others"}
    elif request["do"] == "socket":
        reply["values"] = [{"type": "socket", "socket": 1}]
    elif request["do"] == "call":
        os.close(os.open(f"pid-{os.getpid()}", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        time.sleep(float(sys.argv[2]))
    print(json.dumps(reply), flush=True)
"""
#: Runs a command as root without the capability to kill processes of other users (PR_CAPBSET_DROP, CAP_KILL).
WITHOUT_KILL = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(24, 5, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def run_of_others(runs: Runs) -> Callable[[int], Finished]:
    """A run that may not kill its agents, whose calls take a number of seconds."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("only root can start an agent of another user")
    (runs.folder / "others.py").write_text(OF_OTHERS)
    runs.folder.chmod(0o777)

    def run(seconds: int) -> Finished:
        agent = f"{sys.executable} -S others.py {runs.folder} {seconds}"
        command = runs.command("--agent", agent, "--deadline", "0.5", "--select", "listen")
        return runs.execute([sys.executable, "-c", WITHOUT_KILL, *command])

    return run


def agents_left(folder: Path) -> list[int]:
    return [pid for file in folder.glob("pid-*") if running(pid := int(file.name.removeprefix("pid-")))]


def test_an_agent_that_may_not_be_killed_ends_with_its_input(
    runs: Runs, run_of_others: Callable[[int], Finished]
) -> None:
    done = run_of_others(0)
    assert done.code == 1, done.errors
    assert done.stream.footer
    assert not done.stream.footer.stopped
    assert list(runs.folder.glob("pid-*"))
    assert not agents_left(runs.folder)


@pytest.mark.slow  # it waits for the agent's end
def test_one_that_hangs_ends_the_run(runs: Runs, run_of_others: Callable[[int], Finished]) -> None:
    done = run_of_others(3600)
    (pid,) = agents_left(runs.folder)
    try:
        assert done.code == 3, done.errors
        assert done.stream.footer
        stopped = done.stream.footer.stopped
        assert stopped.startswith(f"process {pid} of the agent ")
        assert stopped.endswith(f" still runs after 10 s: this user may not kill it; to end it: sudo kill -9 {pid}")
        outcomes = Counter(row.outcome for row in done.stream.rows)
        assert outcomes["timed-out"] == 1
        assert set(outcomes) <= {"timed-out", "not-run", "host-skip"}
    finally:
        os.kill(pid, signal.SIGKILL)
