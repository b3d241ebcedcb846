"""Runs on hosts with fewer system calls or other settings: cases that need more are skipped with the reason."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from tests.host import odd_host

from nixio_reports import Row, read

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() != "x86_64",
    reason="the filter of system calls is written for Linux on x86_64",
)

#: A few clauses of each sort: plain ones, and ones that need the hermetic network, the kernel's view, IPv6 or dual
#: stack.
CHOSEN = (
    "send.data.arrives",
    "bind.resolution.next",
    "getopt.ipv6-mtu.effect.link",
    "setopt.ip-multicast_if.effect.link",
    "setopt.ipv6-v6only.effect",
    "accept.exhausted",
    "fileno.result.number",
)


def on(host: dict[str, object], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program on such a host."""
    command = (sys.executable, odd_host.__file__, json.dumps(host), sys.executable, *command)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if odd_host.UNAVAILABLE in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    return done


def judged(tmp_path: Path, host: dict[str, object], *options: str, clauses: tuple[str, ...] = CHOSEN) -> list[Row]:
    """The rows of a run of the reference on such a host, which must be conforming."""
    terms = [word for term in clauses for word in ("--select", term)]
    done = on(host, "-m", "nixio_conformance", "run", "reference", f"--report={tmp_path}", *terms, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = list(read(tmp_path / "results.jsonl").rows)
    assert {row.outcome for row in rows} - {"host-skip"} == {"passed"}
    assert all(row.message for row in rows if row.outcome == "host-skip")
    return rows


def skipped(rows: list[Row], reason: str) -> set[str]:
    """The clauses that have cases skipped for this reason."""
    return {row.clause for row in rows if row.outcome == "host-skip" and reason in row.message}


@pytest.mark.parametrize(
    "call",
    ["unshare", pytest.param("mount", marks=pytest.mark.slow), pytest.param("setns", marks=pytest.mark.slow)],
)
def test_a_filter_that_forbids_namespaces(tmp_path: Path, call: str) -> None:
    rows = judged(tmp_path, {"refused": {call: "EPERM"}})
    assert skipped(rows, "lab: [Errno 1]") >= {"bind.resolution.next", "setopt.ip-multicast_if.effect.link"}
    assert {row.outcome for row in rows if row.clause == "send.data.arrives"} == {"passed"}


def test_a_filter_that_forbids_the_kernels_view(tmp_path: Path) -> None:
    rows = judged(tmp_path, {"refused": {"pidfd_getfd": "EPERM", "prlimit": "EPERM"}})
    assert "accept.exhausted.emfile" in skipped(rows, "limits: [Errno 1]")


def test_a_kernel_without_ipv6_has_a_hermetic_network_of_ipv4(tmp_path: Path) -> None:
    rows = judged(tmp_path, {"refused": {"socket(10)": "EAFNOSUPPORT"}})
    assert skipped(rows, "ipv6: [Errno 97]")
    if not skipped(rows, "lab: "):
        assert {row.outcome for row in rows if row.clause == "setopt.ip-multicast_if.effect.link"} == {"passed"}


def test_a_host_whose_ipv6_is_switched_off(tmp_path: Path) -> None:
    rows = judged(tmp_path, {"sysctls": {"net/ipv6/conf/all/disable_ipv6": "1"}}, "--without", "lab")
    assert {row.outcome for row in rows if row.kind == "inet6-stream"} == {"host-skip"}


@pytest.mark.slow
def test_a_host_whose_loopback_is_down(tmp_path: Path) -> None:
    rows = judged(tmp_path, {"sysctls": None}, "--without", "lab")
    assert {row.outcome for row in rows if row.kind == "inet-stream"} == {"host-skip"}
    assert "passed" in {row.outcome for row in rows if row.kind == "unix-stream"}


#: Hosts on which the reference once failed, each with clauses that are judged there all the same.
ODD: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "nonlocal-bind": (
        {"sysctls": {"net/ipv4/ip_nonlocal_bind": "1", "net/ipv4/tcp_timestamps": "0", "net/core/somaxconn": "4"}},
        CHOSEN[:1],
    ),
    "queues": (
        {
            "sysctls": {
                "net/core/somaxconn": "1",
                "net/ipv4/tcp_rmem": "4096 8192 8192",
                "net/ipv4/tcp_wmem": "4096 8192 8192",
                "net/unix/max_dgram_qlen": "1",
            }
        },
        ("accept.order.addresses", "accept.order.connections", "send.full.count", "model.dgram", "model.stream"),
    ),
    "buffers": (
        {"environment": {"PYTHONPATH": str(Path(__file__).with_name("small_buffers"))}},
        ("getopt.readback.buffer-size", "model.dgram"),
    ),
    "mtu": ({"mtu": 1500}, ("setopt.ipv6-mtu.effect.fragments", "setopt.ipv6-mtu.effect.off")),
    "no-files": (
        {"etc": {"hosts": None, "services": None, "nsswitch.conf": None, "resolv.conf": None}},
        ("bind.resolution.next", "bind.resolution.service", "connect.resolution.service"),
    ),
    "optimized": ({"environment": {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error"}}, ("send.data.arrives",)),
    "inherited": (
        {
            "ignored": ["SIGCHLD", "SIGPIPE"],
            "closed": [0],
            "umask": "077",
            "environment": {"HOME": None, "LC_ALL": "C", "PYTHONUTF8": "0"},
        },
        ("getsockname.unix.whole-path", "bind.unix.exact"),
    ),
    "descriptors": ({"limits": {"NOFILE": 64}}, ("listen.backlog.at-least", "listen.backlog.exact-unix")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_an_odd_host(tmp_path: Path, name: str) -> None:
    host, clauses = ODD[name]
    options = ("--without", "lab") if {"sysctls", "mtu"} & host.keys() else ()
    rows = judged(tmp_path, host, *options, clauses=clauses)
    assert {row.clause for row in rows if row.outcome == "passed"} >= set(clauses)


@pytest.mark.slow
def test_a_host_whose_families_do_not_communicate(tmp_path: Path) -> None:
    clauses = ("model.dual-stack", "send.data.arrives")
    rows = judged(tmp_path, {"sysctls": {"net/ipv6/bindv6only": "1"}}, "--without", "lab", clauses=clauses)
    assert skipped(rows, "bindv6only") == {"model.dual-stack"}
    assert {row.outcome for row in rows if row.kind == "inet6-stream"} == {"passed"}


def test_too_few_descriptors_for_any_case(tmp_path: Path) -> None:
    done = on({"limits": {"NOFILE": 32}}, "-m", "nixio_conformance", "run", "reference", f"--report={tmp_path}")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1), done.stderr
    assert "only 32 descriptors" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sysctls", "measured"),
    [
        ({"net/core/somaxconn": "1"}, "room.connections(kind('inet-stream'), 5) == 2"),
        ({"net/unix/max_dgram_qlen": "1"}, "unread('unix-dgram').messages == 1"),
        (
            {"net/ipv4/tcp_rmem": "4096 8192 8192", "net/ipv4/tcp_wmem": "4096 8192 8192"},
            "0 < unread('inet-stream').bytes < 16384",
        ),
        ({}, "all(unread(name) == most for name, most in MOST_UNREAD.items())"),
    ],
    ids=["connections", "messages", "bytes", "usual"],
)
def test_the_model_asks_the_host_for_its_sizes(sysctls: dict[str, str], measured: str) -> None:
    program = (
        "from nixio_conformance.model.state import MOST_UNREAD\n"
        "from nixio_conformance.toolkit import room\n"
        "from nixio_fixtures import load\n"
        "kind = load().kind\n"
        "unread = lambda name: room.unread(kind(name), MOST_UNREAD[name])\n"
        f"assert {measured}"
    )
    done = on({"sysctls": sysctls}, "-c", program)
    assert done.returncode == 0, done.stderr
