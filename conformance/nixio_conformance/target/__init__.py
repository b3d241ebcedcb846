"""How a user names an implementation, and how its agent is started."""
