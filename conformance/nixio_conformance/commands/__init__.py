"""The commands of `nixio-conformance`, one file each, and the options that several share."""
