"""What this host can do, and the kernel's view of another process's sockets, descriptors and children."""
