"""Member 11, from within: the contestant's own modules, patched in its own process."""

from __future__ import annotations

from attacks.case import HANGING

from .honest import CORR2D, EDGE, LAZY, forgery, on_corr2d, without

REPLY = """\
import sys

replies = sys.modules["d2lgrade.contestant.replies"]
session = sys.modules["d2lgrade.contestant.session"]
message = replies.Reply.message


def said(self, kind, value, after):
    {what}


replies.Reply.message = said


"""
TWIN = "import sys\n\nassert sys.modules['torch']\n\n\n" + EDGE
# Right numbers by a forbidden road, so that only what watches the process can tell.
FORBIDDEN = """\
import torch


def corr2d(X, K):
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise ValueError("the kernel does not fit")
    slide = getattr(torch.nn.functional, "conv" + "2d")
    return slide(X[None, None], K[None, None])[0, 0]
"""
TESTIMONY = "can change what this check observes"


def saying(name: str, what: str, says: str = "."):
    """A contestant that replies as it likes."""
    return forgery(name, REPLY.replace("{what}", what) + LAZY, says, twin=TWIN)


def blinding(name: str, head: str, opened: str = "testimony"):
    """A forbidden road, with the probes put out first."""
    return on_corr2d(
        name,
        head + "\n\n" + FORBIDDEN,
        TESTIMONY,
        passes=without("watched", "device"),
        twin=CORR2D,
        opened=opened,
    )


BLIND = """
import contextlib


@contextlib.contextmanager
def blind(*args):
    yield set()


"""
ATTACKS = (
    saying("replies_none", "return message(self, 'ok', None, [])"),
    saying("replies_true", "return message(self, 'ok', True, [])"),
    saying("replies_nan", "return message(self, 'ok', float('nan'), [])"),
    saying("replies_stop", "return message(self, 'stop', None, [])"),
    saying("replies_method", "return message(self, 'method', None, [])"),
    saying(
        "replies_that_it_raised",
        "return message(self, 'error', {'kinds': ('ValueError',), 'text': 'no'}, [])",
    ),
    saying(
        "replies_that_it_is_to_do",
        "fault = {'kinds': ('LookupError',), 'missing': 'vertical_edge_kernel'}\n"
        "    return message(self, 'error', fault, [])",
    ),
    saying(
        "replies_an_object_of_odd_name",
        "return message(self, 'ok', type('torch.Tensor', (), {})(), [])",
        r"is a torch\.Tensor where|is a ",
    ),
    saying("replies_garbage", "return b'\\xff' * 100, []"),
    saying("replies_nothing", "return None", "."),
    saying(
        "replies_its_inputs",
        "return message(self, 'ok', next(iter(self._holdings.tensors._table.values())).tensor, [])",
    ),
    forgery(
        "answers_without_being_asked",
        """\
import sys

session = sys.modules["d2lgrade.contestant.session"]
session.Session._answer = lambda self, body, buffers: self._reply("ok", True)


"""
        + LAZY,
        ".",
        twin=TWIN,
    ),
    forgery(
        "stops_answering",
        """\
import sys
import threading

session = sys.modules["d2lgrade.contestant.session"]
session.Session.serve = session.Session._answer = lambda *a: threading.Event().wait()


"""
        + LAZY,
        "No answer within 1 s|wrong dtype",
        limits=HANGING,
        twin=TWIN,
    ),
    forgery(
        "forgets_the_seeds",
        """\
import sys

session = sys.modules["d2lgrade.contestant.session"]
session.seed_all = lambda number: None


"""
        + LAZY,
        twin=TWIN,
    ),
    forgery(
        "finds_the_session_by_its_frames",
        """\
import sys

frame = sys._getframe()
while frame is not None:
    for value in list(frame.f_locals.values()):
        if type(value).__name__ == "Session":
            value._reply = lambda *a, **k: (b"", [])
    frame = frame.f_back


"""
        + LAZY,
        "What came back was no answer",
        twin=TWIN,
    ),
    forgery(
        "finds_the_session_by_gc",
        """\
import gc

for found in gc.get_objects():
    if type(found).__name__ == "Holdings":
        type(found).handle = lambda self, value: [1, 0, "torch.Tensor", "object"]


"""
        + LAZY,
        twin=TWIN,
    ),
    blinding(
        "blinds_the_watcher",
        "import sys\n"
        + BLIND
        + 'sys.modules["d2lgrade.contestant.session"].rules.watching = blind\n',
    ),
    blinding(
        "blinds_the_watcher_by_import",
        BLIND + "import d2lgrade.contestant.probes.rules as rules\n\nrules.watching = blind\n",
    ),
    blinding(
        "blinds_the_watcher_by_name",
        "import importlib\n"
        + BLIND
        + 'name = "".join(["d2l", "grade"]) + ".contestant.probes.rules"\n'
        "importlib.import_module(name).watching = blind\n",
    ),
    blinding(
        "blinds_the_watcher_by_eval",
        BLIND + 'eval("__imp" + "ort__(\'d2lgrade.contestant.probes.rules\', fromlist=[1])")'
        ".watching = blind\n",
    ),
    blinding(
        "blinds_the_watcher_by_gc",
        "import gc\n"
        + BLIND
        + """
for found in gc.get_objects():
    if isinstance(found, dict) and str(found.get("__name__")).endswith("probes.rules"):
        found["watching"] = blind
""",
    ),
    blinding(
        "blinds_the_watcher_by_frames",
        "import sys\n"
        + BLIND
        + """
frame = sys._getframe()
while frame is not None:
    if "rules" in frame.f_globals:
        frame.f_globals["rules"].watching = blind
    frame = frame.f_back
""",
    ),
)
