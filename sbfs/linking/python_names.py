"""Names that Python gives: builtins and their types."""

from __future__ import annotations

from sbfs.code import python_scopes

BUILTINS = python_scopes.BUILTINS | {"PythonFinalizationError"}
"""What a Python gives without import: of every one from 3.11, and what 3.13 added."""

TYPES = {
    "str": "<**PyStr**>",
    "bytes": "<**PyBytes**>",
    "list": "<**PyList**>",
    "texts": "<**PyList**>",
    "tuple": "<**PyTuple**>",
    "set": "<**PySet**>",
    "frozenset": "<**PySet**>",
    "dict": "<**PyDict**>",
    "int": "<**PyNum**>",
    "float": "<**PyNum**>",
    "complex": "<**PyNum**>",
    "bool": "<**PyBool**>",
    "generator": "<**PyGenerator**>",
}
"""Builtin type → the name under which its methods are shown."""

TEXT_METHODS = frozenset(
    [
        "capitalize",
        "casefold",
        "center",
        "expandtabs",
        "format",
        "format_map",
        "join",
        "ljust",
        "lower",
        "lstrip",
        "removeprefix",
        "removesuffix",
        "replace",
        "rjust",
        "rstrip",
        "strip",
        "swapcase",
        "title",
        "translate",
        "upper",
        "zfill",
    ]
)
"""Methods of str that give a str."""
LIST_METHODS = frozenset(("split", "rsplit", "splitlines"))

_TEXTS_WORDS = """
json.dumps os.getcwd os.getenv os.path.abspath os.path.basename os.path.dirname os.path.expanduser
os.path.expandvars os.path.join os.path.normpath os.path.realpath os.path.relpath os.readlink os.strerror
platform.machine platform.node platform.platform platform.release platform.system platform.version
posixpath.basename posixpath.dirname posixpath.join re.escape re.sub shutil.which string.capwords
tempfile.gettempdir tempfile.mkdtemp textwrap.dedent textwrap.fill textwrap.indent time.ctime time.strftime
traceback.format_exc urllib.parse.quote urllib.parse.unquote urllib.parse.urlencode urllib.parse.urljoin
html.escape html.unescape getpass.getpass getpass.getuser socket.gethostname inspect.getsource
"""
TEXTS = frozenset(_TEXTS_WORDS.split())
"""Functions of the standard library that give a str."""
LISTS_OF_TEXTS = frozenset(("glob.glob", "os.listdir", "re.findall", "re.split", "shlex.split", "textwrap.wrap"))
"""Functions of the standard library that give a list of str."""

COMMON = frozenset(
    [
        "add",
        "append",
        "as_integer_ratio",
        "capitalize",
        "casefold",
        "center",
        "clear",
        "close",
        "copy",
        "count",
        "decode",
        "difference",
        "difference_update",
        "discard",
        "encode",
        "endswith",
        "expandtabs",
        "extend",
        "find",
        "flush",
        "format",
        "format_map",
        "fromkeys",
        "get",
        "index",
        "insert",
        "intersection",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "isidentifier",
        "islower",
        "isnumeric",
        "isprintable",
        "isspace",
        "issubset",
        "issuperset",
        "istitle",
        "isupper",
        "items",
        "join",
        "keys",
        "ljust",
        "lower",
        "lstrip",
        "partition",
        "pop",
        "popitem",
        "read",
        "readline",
        "readlines",
        "remove",
        "removeprefix",
        "removesuffix",
        "replace",
        "reverse",
        "rfind",
        "rindex",
        "rjust",
        "rpartition",
        "rsplit",
        "rstrip",
        "seek",
        "send",
        "setdefault",
        "sort",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "symmetric_difference",
        "tell",
        "throw",
        "title",
        "translate",
        "union",
        "update",
        "upper",
        "values",
        "write",
        "writelines",
        "zfill",
    ]
)
"""Names of methods of builtin types: such a name alone is no evidence for a method of the project."""

_LIBRARY_WORDS = """
accept acquire commit communicate cursor digest drain executemany fetchall fetchmany fetchone fileno finditer
fullmatch getpeername getsockname getsockopt getvalue groupdict groups hexdigest is_alive is_set isatty isoformat listen
loads makefile match notify_all pause_reading put_nowait readexactly recv recv_into recvfrom release resume_reading
rollback seekable sendall sendto setblocking setsockopt settimeout strftime task_done terminate total_seconds
"""
LIBRARY = COMMON | frozenset(_LIBRARY_WORDS.split())
"""The same with methods of the standard library's sockets, locks, processes, cursors, matches, dates and streams, which
are mostly what is meant where nothing is known of a receiver."""

_TEXT_WORDS = """
capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha
isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower
lstrip maketrans partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split
splitlines startswith strip swapcase title translate upper zfill
"""
_SET_WORDS = """
add clear copy difference difference_update discard intersection intersection_update isdisjoint issubset
issuperset pop remove symmetric_difference symmetric_difference_update union update
"""
_LIST_WORDS = """
append appendleft clear copy count extend extendleft index insert pop popleft remove reverse rotate sort
"""
_DICT_WORDS = """
clear copy elements fromkeys get items keys most_common move_to_end pop popitem setdefault subtract update
values
"""
_TEXT, _SET, _LIST, _DICT = (frozenset(words.split()) for words in (_TEXT_WORDS, _SET_WORDS, _LIST_WORDS, _DICT_WORDS))
METHODS = {
    "str": _TEXT,
    "bytes": (_TEXT - {"encode", "format", "format_map"}) | {"decode", "fromhex", "hex"},
    "list": _LIST,
    "texts": _LIST,
    "tuple": frozenset(("count", "index")),
    "set": _SET,
    "frozenset": _SET,
    "dict": _DICT,
    "generator": frozenset(("aclose", "asend", "athrow", "close", "send", "throw")),
    "int": frozenset(("bit_count", "bit_length", "conjugate", "from_bytes", "is_integer", "to_bytes")),
    "float": frozenset(("as_integer_ratio", "conjugate", "fromhex", "hex", "is_integer")),
}
"""Methods of builtin types, and of what is held as one of them (a deque as a list, a Counter as a dict)."""
