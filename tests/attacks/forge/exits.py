"""Member 1: ending the process, by every door."""

from __future__ import annotations

from .honest import EDGE, LAZY, calling, correlating, forgery, on_corr2d

ENDED = r"ended its own process \(exit status 0\)"
IMPORTED = "could not be imported: it raised SystemExit"
CALLED = r"Your code ended the program \(SystemExit\)"

# A twin that ends things too, but only what is its own.
TIDY = "import atexit\n\natexit.register(print, 'goodbye')\n" + EDGE

ATTACKS = (
    forgery("exit_at_import", "import os\n\nos._exit(0)\n", ENDED, opened="own process"),
    forgery("sys_exit_at_import", "import sys\n\nsys.exit(0)\n", IMPORTED),
    forgery("quit_at_import", "quit()\n", IMPORTED),
    forgery("exit_in_call", calling("os._exit(0)", "import os\n"), ENDED, opened="own process"),
    forgery("sys_exit_in_call", calling("sys.exit(0)", "import sys\n"), CALLED),
    forgery("quit_in_call", calling("quit()"), CALLED),
    forgery("exit_builtin_in_call", calling("exit(0)"), CALLED),
    forgery(
        "exit_from_atexit",
        "import atexit\nimport os\n\natexit.register(os._exit, 0)\n" + LAZY,
        twin=TIDY,
    ),
    forgery(
        "exit_from_thread",
        calling(
            "threading.Thread(target=os._exit, args=(0,)).start()\ntime.sleep(30)",
            "import os\nimport threading\nimport time\n",
        ),
        ENDED,
        opened="own process",
    ),
    forgery(
        "exit_from_signal",
        calling(
            "signal.signal(signal.SIGALRM, lambda *_: os._exit(0))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.01)\ntime.sleep(30)",
            "import os\nimport signal\nimport time\n",
        ),
        ENDED,
        opened="own process",
    ),
    forgery(
        "exit_when_collected",
        calling(
            "return Last()",
            "import os\n\n\nclass Last:\n    def __del__(self):\n        os._exit(0)\n",
        ),
        "is a Last where a torch.Tensor is due",
    ),
    forgery(
        "becomes_true",
        calling("os.execv('/bin/true', ['true'])", "import os\n"),
        f"{ENDED}|raised PermissionError",
        opened="own process",
    ),
    forgery(
        "exit_in_a_fork_as_well",
        calling("os.fork()\nos._exit(0)", "import os\n"),
        ENDED,
        opened="own process",
    ),
    forgery(
        "exit_from_profiler",
        "import os\nimport sys\n\nsys.setprofile(lambda *_: os._exit(0))\n" + LAZY,
        ENDED,
        opened="own process",
    ),
    forgery(
        "exit_from_except_hook",
        "import os\nimport sys\n\nsys.excepthook = lambda *_: os._exit(0)\n"
        + calling("raise RuntimeError('no answer')"),
        "raised RuntimeError: no answer",
    ),
    forgery(
        "skips_itself",
        calling("pytest.skip('not today')", "import pytest\n"),
        "raised Skipped: not today",
    ),
    forgery(
        "skips_at_import",
        "import pytest\n\npytest.skip('not today', allow_module_level=True)\n",
        "Skipped|ended its own process",
    ),
    forgery(
        "ends_the_session",
        calling("pytest.exit('all is well', returncode=0)", "import pytest\n"),
        "raised Exit: all is well",
    ),
    forgery(
        "raises_what_the_judge_raises",
        calling(
            "raise Skipped('passed')",
            "class Skipped(Exception):\n    pass\n\n\nSkipped.__module__ = '_pytest.outcomes'\n",
        ),
        "raised Skipped: passed",
    ),
    forgery("always_refuses", calling("raise ValueError('no')"), "raised ValueError: no"),
    on_corr2d(
        "does_nothing",
        correlating("return None"),
        r"is None where a torch\.Tensor is due",
        opened="idle answers",
    ),
)
