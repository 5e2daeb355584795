"""The judge's stand-in for learner code: calls, autograd, handles.

A check writes `student.corr2d(X, K)` and gets a plain tensor. Where the code runs is the business
of the link: `local` runs it in this process (debug mode, references, misconceptions), `remote` in
a contestant behind the wire. Checks cannot tell the difference.
"""
