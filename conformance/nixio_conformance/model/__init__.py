"""Stateful testing: a model of sockets, and random sequences of operations that run against it.

The model makes no call. `state` holds the sockets at one moment as frozen values, `outcomes` describes what a call may
return or raise, and `socket_rules`, `stream_rules` and `datagram_rules` have one function for each method. The rest
uses the model through `rules.allowed` and `rules.next_state`.

`sequences` defines what a sequence is, `operations` turns one operation into a call, `runner` runs a sequence on an
implementation and compares each outcome with the model, `generate` draws sequences, `search` looks for one that fails,
and `shrink` makes it short. docs/model.md explains all of it.
"""
