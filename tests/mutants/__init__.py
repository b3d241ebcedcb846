"""The suite proves its own power: faulty ports that it must report, and unusual right ones that it must accept."""
