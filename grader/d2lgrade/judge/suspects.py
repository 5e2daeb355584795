"""Names that deserve a human look, and what each is in words (see `flags`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suspect:
    """What using a name means, and whether it can change what the probes beside it observe."""

    words: str
    spoils: bool = False


LONG = 200  # characters of a text that may be code in disguise

_DISPATCH = Suspect("touches torch's dispatch", spoils=True)
_FRAMES = Suspect("walks frames", spoils=True)
_INSIDES = Suspect("reaches into Python's own objects", spoils=True)
_NATIVE = Suspect("calls C code directly", spoils=True)
_TEXT = Suspect("runs text as code", spoils=True)
_LOADED = Suspect("looks through loaded modules", spoils=True)
_PROCESS = Suspect("starts processes")
_THREAD = Suspect("starts threads")
_NETWORK = Suspect("opens network connections")
_WRITES = Suspect("writes files")
_READS = Suspect("reads files")
_HIDDEN = Suspect("decodes hidden text or code")
_SURROUNDINGS = Suspect("looks at its surroundings")
_REMEMBERS = Suspect("remembers answers")
_RAW = Suspect("reaches for raw memory")
_ENDS = Suspect("ends the process, or acts when it ends")
_SIGNALS = Suspect("handles signals")
_LOOKS = Suspect("looks into objects")

# Imports, by module.
MODULES = {
    **dict.fromkeys(("ctypes", "cffi", "_ctypes", "mmap"), _NATIVE),
    **dict.fromkeys(("gc",), Suspect("walks the garbage collector", spoils=True)),
    **dict.fromkeys(("inspect", "dis", "code", "codeop"), _LOOKS),
    **dict.fromkeys(("builtins", "importlib", "runpy", "imp", "pkgutil", "zipimport"), _LOADED),
    **dict.fromkeys(("subprocess", "multiprocessing", "pty", "torch.multiprocessing"), _PROCESS),
    **dict.fromkeys(("threading", "_thread", "concurrent", "asyncio"), _THREAD),
    **dict.fromkeys(
        (
            *("socket", "socketserver", "ssl", "select", "selectors", "requests", "http"),
            *("urllib", "ftplib", "smtplib", "xmlrpc", "torch.distributed", "torch.hub"),
        ),
        _NETWORK,
    ),
    **dict.fromkeys(("shutil", "tempfile", "sqlite3", "shelve", "dbm"), _WRITES),
    **dict.fromkeys(("glob", "fileinput"), _READS),
    **dict.fromkeys(("base64", "binascii", "codecs", "zlib", "marshal", "pickle"), _HIDDEN),
    **dict.fromkeys(("lzma", "bz2", "gzip", "cloudpickle"), _HIDDEN),
    **dict.fromkeys(("platform", "pwd", "getpass", "resource"), _SURROUNDINGS),
    **dict.fromkeys(("atexit",), _ENDS),
    **dict.fromkeys(("signal", "faulthandler"), _SIGNALS),
    **dict.fromkeys(("torch.utils.cpp_extension", "triton", "numba"), _NATIVE),
    **dict.fromkeys(("torch.overrides", "torch.utils._python_dispatch", "torch._C"), _DISPATCH),
    **dict.fromkeys(("d2lgrade",), Suspect("imports the grader", spoils=True)),
    **dict.fromkeys(
        ("pytest", "_pytest", "unittest", "checks", "solutions"),
        Suspect("imports tests or what tests use"),
    ),
}
# Names that say it wherever they stand, strings included.
NAMES = {
    # By these Python code can get between torch and the probes.
    **dict.fromkeys(
        (
            *("__torch_dispatch__", "__torch_function__", "TorchDispatchMode"),
            *("TorchFunctionMode", "DisableTorchFunction", "DisableTorchFunctionSubclass"),
            *("_disable_torch_dispatch", "_pop_mode", "_push_mode", "_pop_torch_function_stack"),
            *("_make_subclass", "_make_wrapper_subclass", "_get_current_dispatch_mode"),
        ),
        _DISPATCH,
    ),
    **dict.fromkeys(
        (
            *("_getframe", "_current_frames", "currentframe", "settrace", "setprofile"),
            *("f_back", "f_locals", "f_globals", "f_builtins", "tb_frame", "tb_next"),
            *("gi_frame", "cr_frame", "getouterframes", "getinnerframes"),
        ),
        _FRAMES,
    ),
    **dict.fromkeys(
        (
            *("__subclasses__", "__globals__", "__builtins__", "__closure__", "__code__"),
            *("__bases__", "__mro__", "__loader__", "__spec__", "get_objects", "get_referrers"),
            *("get_referents", "co_code", "cell_contents", "__self__", "__getattribute__"),
        ),
        _INSIDES,
    ),
    **dict.fromkeys(("meta_path", "path_hooks", "import_module"), _LOADED),
    **dict.fromkeys(("__import__", "exec_module"), _TEXT),
    **dict.fromkeys(
        ("untyped_storage", "data_ptr", "_typed_storage", "from_blob", "frombuffer"), _RAW
    ),
    **dict.fromkeys(("write_text", "write_bytes"), _WRITES),
    **dict.fromkeys(("read_text", "read_bytes"), _READS),
    **dict.fromkeys(("lru_cache",), _REMEMBERS),
}
# Names that say it where nothing stands before them.
BUILTINS = {
    **dict.fromkeys(("eval", "exec", "compile"), _TEXT),
    **dict.fromkeys(("quit", "exit"), _ENDS),
    **dict.fromkeys(("globals", "vars", "locals"), _LOOKS),
    **dict.fromkeys(("breakpoint", "input"), _SURROUNDINGS),
}
# Names that say it behind this module's name.
MEMBERS = {
    "sys.modules": _LOADED,
    "sys.path": _LOADED,
    "sys.argv": _SURROUNDINGS,
    "sys.exit": _ENDS,
    "inspect.stack": _FRAMES,
    "functools.cache": _REMEMBERS,
    **dict.fromkeys(("os.environ", "os.getenv", "os.environb", "os.getppid"), _SURROUNDINGS),
    **dict.fromkeys(("os.uname", "os.getuid", "os.getcwd", "os.getlogin"), _SURROUNDINGS),
    **dict.fromkeys(
        (
            *("os.fork", "os.forkpty", "os.system", "os.popen", "os.posix_spawn", "os.kill"),
            *(f"os.exec{end}" for end in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
            *(f"os.spawn{end}" for end in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
            *("os.setsid", "os.killpg"),
        ),
        _PROCESS,
    ),
    **dict.fromkeys(("os._exit", "os.abort"), _ENDS),
    **dict.fromkeys(
        (
            *("os.write", "os.remove", "os.unlink", "os.rename", "os.replace", "os.mkdir"),
            *("os.makedirs", "os.symlink", "os.link", "os.mkfifo", "os.truncate", "os.chmod"),
            *("torch.save", "np.save", "numpy.save", "np.savez", "numpy.savez"),
        ),
        _WRITES,
    ),
    **dict.fromkeys(("os.open", "os.read", "os.listdir", "os.scandir", "os.walk"), _READS),
    **dict.fromkeys(("torch.load", "np.load", "numpy.load"), _READS),
    **dict.fromkeys(("torch._C", "torch.library"), _DISPATCH),
}
# Parts of a text that say it.
SIGNS = {
    "/proc": "names a place outside its files",
    "/dev/": "names a place outside its files",
    "/sys/": "names a place outside its files",
    "/etc/": "names a place outside its files",
    "/tmp": "names a place outside its files",
    "PYTEST": "looks for a test",
    "pytest": "looks for a test",
    "d2lgrade": "names the grader",
    "/test_": "looks for a test",
}
LIBRARIES = frozenset({"torch", "nn", "F", "np", "numpy", "builtins", "sys", "math", "random"})
# What may honestly be set on a library.
SETTINGS = ("torch.backends.", "plt.", "np.random.seed", "warnings.")
MUTATORS = frozenset(
    {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popleft", "clear"}
)
