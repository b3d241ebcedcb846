"""Where a case happens: what the host can, independent peers, and observers outside the port."""
