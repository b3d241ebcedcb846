"""Mutation testing of the suite: faulty implementations that it must report, and unusual ones that it must accept."""
