"""Work that keeps a machine busy while a suite runs: processors that are wanted by others, memory that comes and goes.

    python load.py cpu
    python load.py memory MIB

A program of its own that ends when its standard input does, so that it never outlives who started it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

#: Programs that want a processor, for each processor.
PER_PROCESSOR = 2
#: Memory that is taken and given back, over and over.
MEBIBYTES = 512
_PAGE = 4096


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keep this machine busy meanwhile."""
    processors = PER_PROCESSOR * (os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        for words in (*[["cpu"]] * processors, ["memory", str(MEBIBYTES)]):
            program = subprocess.Popen([sys.executable, "-S", "-E", __file__, *words], stdin=subprocess.PIPE)
            stack.enter_context(program)
            stack.callback(program.kill)
        yield


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _take_processor() -> None:
    while True:
        pass


def _take_memory(mebibytes: int) -> None:
    while True:
        taken = []
        for _ in range(mebibytes):
            taken.append(bytearray(1 << 20))
            taken[-1][::_PAGE] = bytes((1 << 20) // _PAGE)


if __name__ == "__main__":
    threading.Thread(target=_end_with_input, daemon=True).start()
    if sys.argv[1] == "memory":
        _take_memory(int(sys.argv[2]))
    _take_processor()
