"""The untrusted side: loads learner code and answers calls.

It imports `wire`, the `d2l` stand-in and the probes alone, and never holds a check, a reference,
an expected value or a seed.
"""
