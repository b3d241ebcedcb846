"""`python -m tests.mutants`, from the root of the checkout."""

from tests.mutants.command import mutants

mutants(prog_name="python -m tests.mutants")
