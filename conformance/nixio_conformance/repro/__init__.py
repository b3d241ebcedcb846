"""Scripts that repeat a case without the suite: in Python, in Lua, or over the agent protocol."""
