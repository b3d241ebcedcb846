"""`python -m tests.mutants`, from the root of the checkout."""

from tests.mutants.command import prove

prove(prog_name="python -m tests.mutants")
