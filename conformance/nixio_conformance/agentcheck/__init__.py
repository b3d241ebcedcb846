"""The agent protocol's own cases: what an agent does wrong, with a hint how to fix it."""
