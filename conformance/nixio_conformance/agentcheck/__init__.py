"""Checks of an agent against the protocol: for each rule that it breaks, what it did and how to fix it."""
