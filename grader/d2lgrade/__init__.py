"""d2lgrade: Dive into Deep Learning as a course you solve.

Importing the package costs next to nothing: no torch, no numpy. Rooms are imported by
those that need them; CONTRIBUTING.md holds the map of rooms and what each may import.
"""

__version__ = "0.1.0"
