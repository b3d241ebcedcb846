"""How a user names an implementation, and the command line of the agent that hosts it."""
