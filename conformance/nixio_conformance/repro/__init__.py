"""Scripts that repeat a case without the suite: in Python, in Lua, or through an agent program."""
