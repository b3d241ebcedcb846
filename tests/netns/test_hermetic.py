"""The hermetic network: names in a chosen order, links to a far end, an unchanged host, reasons for refusals."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nixio_conformance.host import unprivileged
from nixio_conformance.netns import hermetic, namespaces
from nixio_conformance.netns.network import LINKS
from nixio_conformance.netns.resolver_files import NAMES, SERVICES

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces exist on Linux only")


@pytest.fixture(scope="module")
def lab() -> None:
    """Skip on a host without a hermetic network."""
    if reason := in_fresh_process("print(hermetic.probe_entry().reason)"):
        pytest.skip(reason)


def in_fresh_process(code: str) -> str:
    """What a program prints in a new process with a single thread, like the process of the command line."""
    program = f"import json, os, socket\nfrom nixio_conformance.netns import hermetic, namespaces\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def inside(code: str) -> str:
    """What a program prints inside a hermetic network."""
    enter = "hermetic.prepare(hermetic.probe_entry())\nnamespaces.isolate()\nlab = hermetic.enter()"
    return in_fresh_process(f"{enter}\n{code}")


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(("family", "number"), [("inet", socket.AF_INET), ("inet6", socket.AF_INET6)])
def test_a_name_resolves_in_the_order_that_was_chosen(family: str, number: int) -> None:
    found = inside(
        f"names = {list(NAMES[family])!r}\n"
        f"look = lambda name: [row[4][0] for row in socket.getaddrinfo(name, 1, {int(number)}, socket.SOCK_STREAM)]\n"
        "print(json.dumps({name: look(name) for name in names}))"
    )
    assert json.loads(found) == {name: list(addresses) for name, addresses in NAMES[family].items()}


@pytest.mark.usefixtures("lab")
def test_services_are_those_of_the_hermetic_network() -> None:
    looked_up = ", ".join(f"socket.getservbyname({name!r}, {protocol!r})" for name, protocol in SERVICES)
    assert json.loads(inside(f"print(json.dumps([{looked_up}]))")) == list(SERVICES.values())


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.near)
@pytest.mark.parametrize("family", ["inet", "inet6"])
def test_what_is_sent_by_a_link_arrives_at_its_far_end(link: object, family: str) -> None:
    far = link.far_address[family]  # type: ignore[attr-defined]
    number = socket.AF_INET if family == "inet" else socket.AF_INET6
    sent = inside(
        f"there = lab.far.socket(socket.AddressFamily({int(number)}), socket.SOCK_DGRAM)\n"
        f"there.bind(({far!r}, 0)); there.settimeout(10)\n"
        f"here = socket.socket({int(number)}, socket.SOCK_DGRAM)\n"
        "here.sendto(b'over', there.getsockname())\n"
        "print(there.recv(16).decode())"
    )
    assert sent == "over"


@pytest.mark.usefixtures("lab")
def test_one_can_be_built_inside_another() -> None:
    """A worker is started by a process that is in a hermetic network already."""
    again = "hermetic.renew()\nprint(socket.getaddrinfo('one.test', 1)[0][4][0])"
    assert inside(again) == NAMES["inet"]["one.test"][0]


@pytest.mark.usefixtures("lab")
def test_to_probe_and_to_enter_builds_no_more_than_two(tmp_path: Path) -> None:
    """One in a child process to see whether it can be done, and the one that is used."""
    built = tmp_path / "built"
    in_fresh_process(
        "from nixio_conformance.netns import network\n"
        "build = network.build\n"
        "def counted():\n"
        f"    open({str(built)!r}, 'a').write('x')\n"
        "    return build()\n"
        "network.build = counted\n"
        "hermetic.prepare(hermetic.probe_entry())\n"
        "hermetic.enter()"
    )
    assert built.read_text() == "xx"


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ("pass", []),
        ("near.address('lo', ip_interface('192.0.2.77/32'))", ["new: address 192.0.2.77"]),
        (
            "near.address('veth1', ip_interface('2001:db8::7/128'))",
            [f"new: address {'20010db8' + '0' * 23}7/128 on veth1"],
        ),
        ("near.up('veth0', mtu=1300)", ["gone: link veth0, up, mtu 1400", "new: link veth0, up, mtu 1300"]),
        ("socket.sethostname('other.test')", [f"gone: host name {socket.gethostname()}", "new: host name other.test"]),
    ],
    ids=["nothing", "ipv4", "ipv6", "mtu", "host-name"],
)
def test_a_change_of_links_addresses_or_host_name_is_reported(change: str, reported: list[str]) -> None:
    found = inside(
        "from ipaddress import ip_interface\n"
        "from nixio_conformance.netns.netlink import Netlink\n"
        "assert not lab.watch.changes()\n"
        f"with Netlink() as near: {change}\n"
        "print(json.dumps(sorted(lab.watch.changes())))"
    )
    assert json.loads(found) == reported


@pytest.mark.usefixtures("lab")
def test_nothing_of_the_host_is_changed() -> None:
    """Its links, mounts, names and resolver files are the same after a hermetic network was built and left."""
    before = state()
    assert inside("print(len(socket.if_nameindex()))") == "3"
    assert state() == before


#: Leaves an object of each kind that outlives the process which made it.
LEFT_BEHIND = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
key, create = 0x6e786978, 0o1600
made = [libc.shmget(key, 4096, create), libc.semget(key, 1, create), libc.msgget(key, create)]
if hasattr(libc, "mq_open"):
    made.append(libc.mq_open(b"/nixio-test", os.O_CREAT | os.O_RDWR, 0o600, None))
if os.path.isdir("/dev/shm"):
    open("/dev/shm/nixio-test", "w").close()
socket.sethostname("other.test")
print(min(made), socket.gethostname())
"""


@pytest.mark.usefixtures("lab")
def test_a_host_name_and_objects_that_outlive_a_process_stay_inside() -> None:
    before = machine()
    assert inside(LEFT_BEHIND).split()[1] == "other.test"
    assert machine() == before


def machine() -> object:
    """The host name, and what shows the objects of `LEFT_BEHIND` if they are outside."""
    tables = [Path("/proc/sysvipc", kind).read_text() for kind in ("shm", "sem", "msg")]
    libc = ctypes.CDLL(None)
    queue_removed = hasattr(libc, "mq_unlink") and libc.mq_unlink(b"/nixio-test") == 0
    shared = Path("/dev/shm/nixio-test").exists()
    return socket.gethostname(), [str(0x6E786978) in table for table in tables], queue_removed, shared


@pytest.mark.usefixtures("lab")
def test_the_network_can_be_entered_without_a_host_name_and_ipc_objects_of_its_own() -> None:
    found = in_fresh_process(
        "from pathlib import Path\n"
        "try: namespaces.enter_user()\n"
        "except OSError as error: raise SystemExit(print(error))\n"
        "names = lambda: [os.readlink(f'/proc/self/ns/{kind}') for kind in ('uts', 'ipc')]\n"
        "before = names()\n"
        "for kind in ('uts', 'ipc'): Path(f'/proc/sys/user/max_{kind}_namespaces').write_text('0')\n"
        "namespaces.isolate()\n"
        "hermetic.enter()\n"
        "print(names() == before, len(socket.if_nameindex()))"
    )
    if "CLONE_NEWUSER" in found:
        pytest.skip(found)
    assert found == "True 3"


@pytest.mark.usefixtures("lab")
def test_a_renewed_network_has_the_first_host_name() -> None:
    found = inside("socket.sethostname('other.test'); hermetic.renew(); print(socket.gethostname())")
    assert found == socket.gethostname()


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(("variable", "private"), [("NIXIO_TEST", "True"), ("TMPDIR", "False")])
def test_shared_memory_is_private_unless_the_run_uses_it(
    variable: str, private: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("no /dev/shm")
    monkeypatch.setenv(variable, f"{folder}" if private == "False" else "elsewhere")
    assert inside(f"print(os.stat('/dev/shm').st_dev != {folder.stat().st_dev})") == private


def test_where_nothing_may_be_separated_nothing_is_raised() -> None:
    refused = "def refused(*_): raise PermissionError(1, 'Operation not permitted')\n"
    in_fresh_process(f"{refused}namespaces._check = refused\nnamespaces.isolate()")


def state() -> object:
    files = [Path("/etc", name).read_bytes() for name in ("hosts", "resolv.conf") if Path("/etc", name).exists()]
    mounts = Path("/proc/self/mounts").read_text()
    return socket.if_nameindex(), mounts, files, socket.gethostname()


def test_a_host_that_forbids_namespaces_gives_the_reason() -> None:
    reason = in_fresh_process(
        "def forbidden(): raise PermissionError(1, 'unshare: Operation not permitted')\n"
        "namespaces.enter_user = namespaces.enter_network_and_mount = forbidden\n"
        "print(hermetic.probe_entry().reason)"
    )
    assert "Operation not permitted" in reason


@pytest.mark.usefixtures("lab")
def test_a_half_built_one_gives_the_reason_and_is_gone() -> None:
    before = state()
    reason = in_fresh_process(
        "from nixio_conformance.netns import resolver_files as names\n"
        "def broken(folder): raise OSError(28, 'No space left on device')\n"
        "names.cover = broken\n"
        "print(hermetic.probe_entry().reason)"
    )
    assert reason.endswith("No space left on device")
    assert state() == before


def test_a_probe_that_hangs_is_ended() -> None:
    reason = in_fresh_process(
        "import time\n"
        "hermetic.TIMEOUT = 0.2\n"
        "hermetic.enter = lambda: time.sleep(600)\n"
        "print(hermetic.probe_entry().reason)"
    )
    assert reason == "the probe died or hung"


def test_a_program_without_privileges_may_not_do_what_takes_one() -> None:
    code = "import socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 7)"
    done = subprocess.run(
        [sys.executable, unprivileged.__file__, sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert os.strerror(errno.EPERM) in done.stderr


def test_threads_are_counted() -> None:
    assert namespaces.threads() >= 1
    assert hermetic.reason()
