"""Speaks to an implementation: messages, process life, deadlines, transcript."""
