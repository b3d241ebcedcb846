"""`python -m nixio_conformance`: the command line, which a signal may stop from its first moment on."""

import sys

from nixio_conformance.driver.stopping import stopping


def main() -> None:
    """Run the command line."""
    stopping.handle()
    try:
        from nixio_conformance.cli import main as commands  # takes longer than a short run

        commands(prog_name="nixio-conformance")
    except Exception as error:
        from nixio_conformance.driver.own_errors import OwnErrors

        OwnErrors().report(error)
        sys.exit(3)
    finally:
        stopping.ignore()


if __name__ == "__main__":
    main()
