# expect: relu=passed; loses: ch05/relu/zero
"""Clamped from below, which lets the gradient through at 0."""


def relu(X):
    return X.clip(min=0)
