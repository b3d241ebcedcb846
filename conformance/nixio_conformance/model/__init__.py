"""A model of sockets, and random play against it.

`state` is what a few sockets are at one moment, as frozen values; `ways` is what a call may come to; `names`, `streams`
and `messages` are the rules, a function a method; `rules.legal` and `rules.after` are the model's whole face. None of
these makes a call. `moves` is the vocabulary of a play, `player` makes the moves on a port and holds each outcome to
the model, `plays` draws them, `search` looks for a difference and shortens it.
"""
