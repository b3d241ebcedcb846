"""Starts an agent and exchanges messages with it: process, deadlines, outcomes, transcript."""
