# expect: relu=passed; loses:
"""The input times a mask."""


def relu(X):
    return X * (X > 0)
