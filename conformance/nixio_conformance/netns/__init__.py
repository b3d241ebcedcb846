"""The hermetic network: a network namespace with its own links, names and addresses (Linux)."""
