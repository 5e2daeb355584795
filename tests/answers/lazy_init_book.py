# expect: apply_init=passed; loses: ch06/apply_init/bare, ch06/apply_init/every, ch06/apply_init/trace
"""The book's method, with the model for self."""


def apply_init(self, inputs, init=None):
    self.forward(*inputs)
    if init is not None:
        self.net.apply(init)
