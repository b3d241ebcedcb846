"""Baselines, the files of known deviations: how they are read, and how they are written from a recorded run."""
