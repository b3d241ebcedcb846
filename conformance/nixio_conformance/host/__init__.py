"""What this host can do, and views of another process's sockets, descriptors and children."""
