"""A folder or archive with a class's submissions → whose is what, and what cannot be graded.

`collect` looks at names, and reads what each student handed in once, so that what is wrong with it
is known before grading starts; `read` reads one again when its turn has come.
"""

from __future__ import annotations

from d2lgrade.classroom.handed import CollectError, Collection, Handed, Part, Student

__all__ = ["CollectError", "Collection", "Handed", "Part", "Student"]
