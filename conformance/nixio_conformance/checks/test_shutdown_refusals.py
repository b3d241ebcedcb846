"""shutdown: wrong arguments, sockets that are not connected, and connected datagram sockets."""

import socket
import struct

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_sender
from nixio_conformance.toolkit.transfer import both_directions

# Without "both", "read" and "write": nixio itself accepts them as further names, which its document allows.
each_word = pytest.mark.parametrize(
    "word",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="x"),
        pytest.param("RDWR", id="upper-rdwr"),
        pytest.param("Rd", id="upper-rd"),
        pytest.param("WR", id="upper-wr"),
        pytest.param("r", id="r"),
        pytest.param("rdw", id="rdw"),
        pytest.param("rdwrx", id="rdwrx"),
        pytest.param("wrrd", id="wrrd"),
        pytest.param(" wr", id="space-wr"),
        pytest.param("0", id="text-0"),
        pytest.param(0, id="number-0"),
        pytest.param(1, id="number-1"),
        pytest.param(2, id="number-2"),
        pytest.param(1.5, id="number-1.5"),
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param(("rd", "wr"), id="tuple"),
    ],
)
HOWS = [pytest.param((), id="default"), *(pytest.param((word,), id=word) for word in ("rd", "wr", "rdwr"))]
each_how = pytest.mark.parametrize("how", HOWS)


@clause("shutdown.word.refused")
@each_word
def test_other_words_are_refused(pair: Pair, word: Argument) -> None:
    expect.refused_argument(pair.impl.shutdown(word), f"shutdown({word!r})")


@clause("shutdown.word.nothing-done")
@pytest.mark.parametrize("word", ["x", "RDWR", "rdw", pytest.param(1, id="number-1"), pytest.param(True, id="true")])
def test_a_refused_call_does_nothing(pair: Pair, word: Argument) -> None:
    pair.impl.shutdown(word)
    both_directions(pair.impl, pair.peer)


@clause("shutdown.unconnected")
@each_how
@pytest.mark.parametrize("state", ["new", "bound"])
def test_an_unconnected_socket_fails(case: Case, state: str, how: tuple[str, ...]) -> None:
    sock = case.socket() if state == "new" else case.bound()[0]
    expect.fails(sock.shutdown(*how), "ENOTCONN", what="shutdown()")


@clause("shutdown.dgram.result")
@each_how
def test_a_connected_datagram_socket_is_true(pair: Pair, how: tuple[str, ...]) -> None:
    expect.true(pair.impl.shutdown(*how), "shutdown()")


@clause("shutdown.dgram.no-sending")
@pytest.mark.parametrize("how", [how for how in HOWS if how.id != "rd"])
@each_sender
def test_datagrams_cannot_be_sent(pair: Pair, method: str, how: tuple[str, ...]) -> None:
    expect.returned(pair.impl.shutdown(*how), "shutdown()")
    expect.fails(pair.impl.call(method, b"!"), "EPIPE", what=f"{method}()")


@clause("shutdown.dgram.still-receives")
def test_datagrams_are_still_received(pair: Pair) -> None:
    expect.returned(pair.impl.shutdown("wr"), "shutdown()")
    pair.peer.send(b"?")
    expect.data(pair.impl.recv(10), b"?")


@clause("shutdown.dgram.still-sends")
def test_datagrams_are_still_sent(pair: Pair) -> None:
    expect.returned(pair.impl.shutdown("rd"), "shutdown()")
    expect.count(pair.impl.send(b"!"), 1)
    expect.same(pair.peer.recv(), b"!", "what the peer received")


@clause("shutdown.dgram.own-end")
@pytest.mark.parametrize("how", [how for how in HOWS if how.id != "wr"])
def test_receiving_datagrams_does_not_wait(case: Case, pair: Pair, how: tuple[str, ...]) -> None:
    expect.returned(pair.impl.shutdown(*how), "shutdown()")
    # On Linux only a waiting call notices it, and an implementation may wait in poll(); so the view waits.
    with case.view(pair.impl) as view:
        view.setblocking(True)
        view.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 1, 0))
        try:
            found = view.recv(10)
        except BlockingIOError:
            expect.mismatch(
                "another descriptor of the socket", "empty data at once", "a call that waits for a datagram"
            )
    expect.same(found, b"", "what another descriptor of the socket received")
