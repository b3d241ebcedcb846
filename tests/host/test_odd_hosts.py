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


def judged(tmp_path: Path, host: dict[str, object], *options: str) -> list[Row]:
    """The rows of a run of the reference on such a host, which must be conforming."""
    terms = [word for term in CHOSEN for word in ("--select", term)]
    run = [sys.executable, "-m", "nixio_conformance", "run", "reference", f"--report={tmp_path}", *terms, *options]
    command = [sys.executable, odd_host.__file__, json.dumps(host), *run]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if "sysctls" in host and "unshare(CLONE_NEW" in done.stderr:
        pytest.skip(f"this host has no namespaces: {done.stderr.splitlines()[-1]}")
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "sysctls",
    [
        {"net/ipv6/bindv6only": "1"},
        {"net/ipv4/ip_nonlocal_bind": "1", "net/ipv4/tcp_timestamps": "0", "net/core/somaxconn": "4"},
        {
            "net/ipv4/tcp_rmem": "4096 8192 16384",
            "net/ipv4/tcp_wmem": "4096 8192 16384",
            "net/unix/max_dgram_qlen": "1",
        },
    ],
    ids=["bindv6only", "nonlocal-bind", "small-buffers"],
)
def test_a_host_with_other_settings(tmp_path: Path, sysctls: dict[str, str]) -> None:
    rows = judged(tmp_path, {"sysctls": sysctls}, "--without", "lab")
    plain = [row for row in rows if row.clause == "send.data.arrives" and row.kind == "inet-stream"]
    assert {row.outcome for row in plain} == {"passed"}
