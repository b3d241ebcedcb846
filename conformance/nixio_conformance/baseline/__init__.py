"""Reads baselines, the files of known deviations, and writes them from a recorded run."""
