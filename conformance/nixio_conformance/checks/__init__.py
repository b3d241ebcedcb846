"""The suite: a chapter a file, a check a clause. Run by `nixio-conformance run`, or as plain pytest."""
