"""The catalogue's rows: a file is a group, named for what its faults have in common."""
