"""Programs that host one implementation and speak the agent protocol; one file each, no imports of the project."""
