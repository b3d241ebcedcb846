"""`python -m nixio_conformance`: the command line, which a signal may stop from its first moment on."""

from nixio_conformance.driver import inherited
from nixio_conformance.driver.stopping import stopping


def main() -> None:
    """Run the command line."""
    inherited.reset()
    stopping.handle()
    try:
        from nixio_conformance.cli import main as commands  # takes longer than a short run

        commands(prog_name="nixio-conformance")
    finally:
        stopping.ignore()


if __name__ == "__main__":
    main()
