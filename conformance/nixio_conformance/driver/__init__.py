"""Runs an agent and talks to it: messages, process life, deadlines, outcomes, transcript."""
