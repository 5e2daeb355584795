"""The loader: what stands for what in one submission."""

from __future__ import annotations

from d2lgrade.contestant.loader import File, Loader, Program

HOMES = {"ch08/ResNet": "resnet", "ch08/ResNet18": "resnet"}
LEARNERS = """
class ResNet:
    def __init__(self, arch):
        self.stages = 0

class ResNet18(ResNet):
    def __init__(self):
        super().__init__("2222")
"""
SUBSTITUTES = """
class ResNet:
    def __init__(self, arch):
        self.stages = len(arch)
"""


def loaded(*bound: str) -> Loader:
    files = {"resnet": File("resnet", "resnet.py", LEARNERS)}
    return Loader(Program(files, HOMES, substitutes=SUBSTITUTES, bound=bound))


def test_a_class_derives_from_the_substitute_of_its_predecessor() -> None:
    assert loaded().exercise("ch08/ResNet18")().stages == 0
    assert loaded("ch08/ResNet").exercise("ch08/ResNet18")().stages == 4
