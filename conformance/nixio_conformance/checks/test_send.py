"""send and write."""

from nixio_conformance import expect
from nixio_conformance.lab.case import Pair
from nixio_conformance.marks import clause


@clause("send.data.arrives")
def test_data_arrives(either_pair: Pair) -> None:
    data = bytes(range(256))
    expect.count(either_pair.port.send(data), 256)
    got = either_pair.peer.recv()
    expect.holds(got == data, "what the peer received", data, got)
