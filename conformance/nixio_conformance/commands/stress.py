"""CPU and memory load for `run --load`, as a program of its own:

    python stress.py cpu
    python stress.py memory MIB

It exits at the end of its standard input, so that it never outlives the process that started it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

#: CPU-bound programs for each processor.
PER_PROCESSOR = 2
#: Memory that one program allocates and frees in turn.
MEBIBYTES = 512
_PAGE = 4096


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keep the processors and some memory of this machine busy inside the `with` block."""
    from nixio_conformance.driver.orphan_guard import guard  # not in the program, which is started without packages

    processors = PER_PROCESSOR * (os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        for words in (*[["cpu"]] * processors, ["memory", str(MEBIBYTES)]):
            program = subprocess.Popen(
                [sys.executable, "-S", "-E", __file__, *words],
                stdin=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is not for them
            )
            guard().watch(program.pid)
            stack.callback(guard().unwatch, program.pid)
            stack.enter_context(program)
            stack.callback(program.kill)
        yield


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _use_processor() -> None:
    while True:
        pass


def _use_memory(mebibytes: int) -> None:
    while True:
        taken = []
        for _ in range(mebibytes):
            taken.append(bytearray(1 << 20))
            taken[-1][::_PAGE] = bytes((1 << 20) // _PAGE)


if __name__ == "__main__":
    threading.Thread(target=_end_with_input, daemon=True).start()
    if sys.argv[1] == "memory":
        _use_memory(int(sys.argv[2]))
    _use_processor()
