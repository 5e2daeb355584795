"""A path that a learner or an instructor names → source text for each exercise, safely.

Nothing of a submission is imported or run here: files are read as bytes and parsed, no more. What
is read may be hostile: sizes and counts are capped, no link leads out of the folder, nothing but a
regular file is opened, and a stranger's text is escaped before it enters a message.

`source` reads one file, `notebook` takes the definitions out of one of those; `layout` finds the
files and says which exercise lives in which, `mirror` where a folder is laid out as the kit is.
`archive` reads zips into memory, `unpacked` lays what is in them out for a moment, to be read.
"""

from d2lgrade.submission.handed import Submission, SubmissionError
from d2lgrade.submission.layout import read
from d2lgrade.submission.source import Problem, Source

__all__ = ["Problem", "Source", "Submission", "SubmissionError", "read"]
