"""`python -m nixio_conformance`: the command line."""

from nixio_conformance.cli import main

main(prog_name="nixio-conformance")
