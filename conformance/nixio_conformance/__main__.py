"""`python -m nixio_conformance`: the command line, which a signal may stop from its first moment on."""

import sys

from nixio_conformance.commands import output
from nixio_conformance.driver import inherited
from nixio_conformance.driver.stopping import stopping


def main() -> None:
    """Run the command line."""
    inherited.reset()
    stopping.handle()
    output.take_over()
    try:
        sys.exit(output.exit_code(_run()))
    finally:
        stopping.ignore()


def _run() -> str | int | None:
    """Run it; returns the command's exit code."""
    try:
        from nixio_conformance.cli import main as commands  # takes longer than a short run

        commands(prog_name="nixio-conformance")
    except SystemExit as end:
        return end.code
    except Exception as error:
        from nixio_conformance.driver.own_errors import OwnErrors

        OwnErrors().report(error)
        return 3
    return 0


if __name__ == "__main__":
    main()
