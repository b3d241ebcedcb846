"""Known deviations of a port: the file that a person edits, what a run makes of it, and how it is written."""
