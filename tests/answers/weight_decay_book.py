# expect: l2_penalty=passed; loses:
"""In the manner of the book's section."""


def l2_penalty(w):
    return (w ** 2).sum() / 2
