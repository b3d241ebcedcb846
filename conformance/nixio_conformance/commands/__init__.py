"""The commands of `nixio-conformance`: a file each, and the options that several share."""
