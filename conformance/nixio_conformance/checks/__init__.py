"""The conformance suite: one check for each row of the clause tables, run by `nixio-conformance run` or plain pytest.

Files are named `test_<method>_<subject>.py`, with several methods if they share checks, and
`test_calls_<subject>.py` for checks of many methods. send includes write, recv includes read, and setopt includes
getopt.
"""
