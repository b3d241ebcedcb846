"""The protocol's own conformance cases, played against an agent: what it does wrong is told with how to mend it."""
