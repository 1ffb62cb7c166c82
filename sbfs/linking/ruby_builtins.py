"""What Ruby's own methods do with values: which elements reach a block, what comes back, which names are sent.

Only what can matter for who calls what is told. A method is known by its last name: `map` of a list and of any other
thing that has elements do the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.ruby_classes import words
from sbfs.linking.rules import Call, Load, take
from sbfs.linking.values import ANY, EXACT, GUESSED, INFERRED, KEYS, REST, at_least

if TYPE_CHECKING:
    from sbfs.linking.ruby import Ruby
    from sbfs.linking.solver import Solver

TYPES = {"list": "Array", "tuple": "Array", "dict": "Hash", "set": "Set", "str": "String"}
"""Sorts of containers and literals → classes."""
KERNEL = words(
    "puts print p pp printf putc format sprintf gets readline readlines rand srand sleep loop exit exit! abort "
    "at_exit catch throw binding caller caller_locations block_given? Integer Float String Array Hash Rational "
    "Complex system exec spawn fork trap open select warn eval test lambda proc local_variables global_variables "
    "__method__ __dir__ set_trace_func autoload? iterator?"
)
"""Functions that are there everywhere."""
OBJECT = words(
    "class is_a? kind_of? instance_of? respond_to? nil? freeze frozen? dup clone tap then yield_self to_s inspect "
    "hash object_id send public_send __send__ method public_method methods public_methods private_methods "
    "singleton_methods instance_variable_get instance_variable_set instance_variable_defined? instance_variables "
    "extend display itself singleton_class define_singleton_method == != === =~ !~ equal? eql? <=> instance_eval "
    "instance_exec to_enum enum_for remove_instance_variable ! __id__"
)
"""Methods that everything has."""
CLASS_METHODS = words(
    "allocate name superclass ancestors instance_methods public_instance_methods private_instance_methods "
    "method_defined? instance_method public_instance_method const_get const_set const_defined? constants "
    "class_eval module_eval class_exec module_exec include? included_modules class_variable_get "
    "class_variable_set class_variables remove_method undef_method remove_const define_method attr attr_reader "
    "attr_writer attr_accessor alias_method private_instance_methods private_method_defined? "
    "public_method_defined? instance_methods subclasses const_missing private_constant < <= > >= module_function "
    "private public protected private_class_method public_class_method members"
)
"""Methods that every class has."""

SELF = words(
    "each each_entry reverse_each cycle each_pair each_value each_key each_with_index each_slice each_cons to_a "
    "to_ary entries dup clone freeze sort sort_by sort! sort_by! reverse reverse! rotate uniq uniq! compact "
    "compact! shuffle shuffle! take take_while drop drop_while select select! filter filter! reject reject! "
    "keep_if delete_if find_all lazy force eager itself tap to_h first_n sum_of min_by_n values_at each_char "
    "slice flatten flatten! push append << unshift prepend insert add concat replace merge! update merge "
    "each_index map! collect! to_set except with_index with_object minmax with_indifferent_access presence "
    "compact_blank in_groups_of"
)
"""Methods that answer with the same elements, or the receiver itself."""
ELEMENT = words(
    "first last sample pop shift min max min_by max_by find detect [] fetch dig at slice! delete delete_at "
    "bsearch find_by rfind second third"
)
"""Methods that answer with an element."""
BLOCK_LIST = frozenset(
    {"map", "collect", "flat_map", "collect_concat", "filter_map", "map!", "collect!", "each_slice_map"}
)
"""Methods that answer with a list of what the block gives."""
ADDS = frozenset({"push", "append", "<<", "unshift", "prepend", "add", "insert", "enq", "[]=", "store", "fill"})
JOINS = frozenset(
    {"concat", "+", "|", "&", "-", "replace", "merge", "merge!", "update", "zip", "product", "union", "prepend_all"}
)
SENDS = frozenset({"send", "public_send", "__send__"})
RUNS = frozenset(
    {"loop", "catch", "at_exit", "lambda", "proc", "trap", "fork", "Thread.new", "Thread.start", "Fiber.new"}
)


COMMON = frozenset(
    {
        *SELF,
        *ELEMENT,
        *BLOCK_LIST,
        *ADDS,
        *JOINS,
        *OBJECT,
        "size",
        "length",
        "count",
        "empty?",
        "any?",
        "all?",
        "none?",
        "sum",
        "key?",
    }
    | {
        "keys",
        "values",
        "include?",
        "join",
        "split",
        "strip",
        "call",
        "new",
        "to_s",
        "to_i",
        "to_sym",
        "name",
        "inject",
        "reduce",
    }
    | {
        "each_with_object",
        "group_by",
        "partition",
        "zip",
        "start_with?",
        "end_with?",
        "gsub",
        "sub",
        "match",
        "match?",
        "to_f",
    }
)
"""Names so common among Ruby's own types that they say nothing of a receiver."""


TEXT = words(
    "to_s to_str upcase downcase capitalize swapcase strip lstrip rstrip chomp chop chomp! squeeze gsub sub tr delete "
    "reverse center ljust rjust inspect encode force_encoding unpack1 format sprintf join dump scrub unicode_normalize "
    "prepend replace succ next slice byteslice read gets readline basename dirname extname expand_path hexdigest"
)
"""Methods that answer with a text."""
TEXTS = words("split lines chars scan grapheme_clusters readlines partition rpartition glob entries")
"""Methods that answer with a list of texts."""
NUMBER = words("size length count to_i bytesize ord index rindex hash hex oct abs floor ceil round")
"""Methods that answer with a number."""


def summarize(policy: Ruby, solver: Solver, dotted: str, receiver: int, call: Call, level: int) -> None:
    """A call of something outside the project. receiver: index of the value it is bound to, or -1."""
    name = dotted.rpartition(".")[2] if not dotted.endswith(".") else dotted
    kind = solver.values.kind[receiver] if receiver >= 0 else ""
    if kind == "literal" and solver.values.what[receiver][0] in TYPES and solver.values.what[receiver][0] != "str":
        # A literal of plain values: what is put into it must not meet what is put into another.
        place = (call.unit.file.path, call.unit.name, f"site {call.site}", "literal")
        receiver, kind = solver.values.index("container", solver.values.what[receiver][0], place), "container"
    if kind == "container":
        _of_container(solver, name, receiver, call, level)
    elif name in SENDS:
        _send(policy, solver, receiver, call, level)
    elif name in (
        "tap",
        "then",
        "yield_self",
        "instance_eval",
        "instance_exec",
        "itself",
        "dup",
        "clone",
        "freeze",
        "extend",
    ):
        _of_self(solver, name, receiver, call, level)
    elif name == "class" and kind == "instance" and call.result >= 0:
        solver.add(call.result, solver.values.what[receiver][0] * 4 + level)
    elif name in ("method", "public_method"):
        _named(policy, solver, receiver, call, level)
    elif kind == "instance" and dotted.startswith("<builtin>.Enumerable"):
        _of_enumerable(policy, solver, receiver, call, level)
    elif name == "new" and receiver < 0:
        _made(solver, dotted.rpartition(".")[0], call, level)
    elif dotted in ("<builtin>.Array", "<builtin>.Array.wrap") and call.result >= 0:
        for variable, _ in call.arguments[:1]:
            solver.copy(variable, call.result, level) if variable >= 0 else None
    else:
        _run(solver, call, [], call.result if name in ("catch", "synchronize", "measure") else -1, level)
        if call.result >= 0 and kind in ("literal", "text", ""):
            _plain_result(solver, name, call, level)


def _plain_result(solver: Solver, name: str, call: Call, level: int) -> None:
    """What methods of texts and numbers answer with, as far as it has methods that matter."""
    if name in TEXTS:
        made = _list(solver, call, name, level)
        solver.add(solver.field(made, REST), solver.values.value("literal", "String", level=level))
    elif name in TEXT:
        solver.add(call.result, solver.values.value("literal", "String", level=level))
    elif name in NUMBER:
        solver.add(call.result, solver.values.value("literal", "Integer", level=level))


def block_of(call: Call) -> int:
    """The variable of the block that a call is given, or -1."""
    return next((variable for name, variable in call.keywords if name == "&"), -1)


def _run(solver: Solver, call: Call, arguments: list[int], result: int, level: int, this: int = -1) -> None:
    """Call the block with values. this: index of what `self` is in it."""
    block = block_of(call)
    if block >= 0:
        solver.watch(block, Callback(call, [(one, False) for one in arguments], result, level, this))


def call_given(solver: Solver, call: Call) -> None:
    """A block given to something unknown runs, with what nobody knows."""
    _run(solver, call, [], -1, GUESSED)


def _of_self(solver: Solver, name: str, receiver: int, call: Call, level: int) -> None:
    if receiver < 0:
        return
    value = solver.fresh()
    solver.add(value, receiver * 4 + level)
    gives = name in ("then", "yield_self", "instance_eval", "instance_exec")
    given = [one for one, _ in call.arguments] if name == "instance_exec" else [value]
    _run(solver, call, given, call.result if gives else -1, level, receiver if name.startswith("instance_") else -1)
    if call.result >= 0 and not gives:
        solver.add(call.result, receiver * 4 + level)


def _of_container(solver: Solver, name: str, index: int, call: Call, level: int) -> None:
    mapping = solver.values.what[index][0] == "dict"
    every = solver.field(index, ANY)
    itself = solver.fresh()
    solver.add(itself, index * 4 + level)
    _give_block(solver, name, mapping, every, itself, index, call, level)
    if name in ADDS and call.arguments:
        variable, spread = call.arguments[-1]
        if variable >= 0 and not spread:
            for one, _ in (
                call.arguments
                if name in ("push", "append", "unshift", "prepend", "insert", "add")
                else call.arguments[-1:]
            ):
                solver.copy(one, solver.field(index, REST), level) if one >= 0 else None
    if name in JOINS:
        for variable, _ in call.arguments:
            if variable >= 0:
                solver.watch(variable, Poured(index, level))
    if call.result < 0:
        return
    if name == "[]" and len(call.arguments) == 1:
        return  # The form `item` says which element.
    if name in ("fetch", "dig", "delete") and 0 in call.texts:
        take(solver, index, call.texts[0], call.result, level)
    elif name in ELEMENT:
        solver.copy(every, call.result, level)
    elif name in SELF or name in JOINS:
        solver.add(call.result, index * 4 + level)
    elif name in ("values", "keys", "each_value", "each_key"):
        made = _list(solver, call, name, level)
        solver.copy(
            solver.field(index, KEYS if name.endswith(("keys", "key")) else ANY), solver.field(made, REST), level
        )
    elif name in ("group_by", "partition", "index_by", "each_slice", "each_cons", "chunk_while", "slice_when", "zip"):
        made = _list(solver, call, name, level, "dict" if name == "group_by" else "list")
        solver.copy(every if name == "index_by" else itself, solver.field(made, REST), level)


def _give_block(
    solver: Solver, name: str, mapping: bool, every: int, itself: int, index: int, call: Call, level: int
) -> None:
    block = block_of(call)
    if block < 0:
        return
    keys = solver.field(index, KEYS)
    if name in BLOCK_LIST and call.result >= 0:
        made = _list(solver, call, name, level)
        given = [keys, every] if mapping else [every]
        target = solver.fresh() if name in ("flat_map", "collect_concat") else solver.field(made, REST)
        _run(solver, call, given, target, level)
        if name in ("flat_map", "collect_concat"):
            solver.watch(target, Poured(made, level))
    elif name in ("inject", "reduce"):
        kept = solver.fresh()
        for variable, _ in call.arguments[:1]:
            solver.copy(variable, kept, level) if variable >= 0 else None
        if not call.arguments:
            solver.copy(every, kept, level)
        _run(solver, call, [kept, every], kept, level)
        if call.result >= 0:
            solver.copy(kept, call.result, level)
    elif name in ("each_with_object", "with_object"):
        memo = call.arguments[0][0] if call.arguments and call.arguments[0][0] >= 0 else solver.fresh()
        _run(solver, call, [every, memo], -1, level)
        if call.result >= 0:
            solver.copy(memo, call.result, level)
    elif name in ("transform_values", "each_value", "transform_values!"):
        made = _list(solver, call, name, level, "dict")
        _run(solver, call, [every], solver.field(made, REST), level)
    elif name in ("each_key", "transform_keys"):
        _run(solver, call, [keys], -1, level)
    elif name in ("tap", "then", "yield_self"):
        _run(solver, call, [itself], call.result if name != "tap" else -1, level)
    elif name in ("each_slice", "each_cons"):
        _run(solver, call, [itself], -1, level)
    elif name in ("fetch", "dig") and call.result >= 0:
        _run(solver, call, [], call.result, level)
    elif name in ("sort", "max", "min", "sort!"):
        _run(solver, call, [every, every], -1, level)
    elif mapping:
        _run(solver, call, [keys, every], -1, level)
    else:
        _run(solver, call, [every], -1, level)


def _list(solver: Solver, call: Call, name: str, level: int, sort: str = "list") -> int:
    """A container that a call makes; it becomes the call's result."""
    place = (call.unit.file.path, call.unit.name, f"site {call.site}", name)
    index = solver.values.index("container", sort, place)
    if call.result >= 0:
        solver.add(call.result, index * 4 + level)
    return index


def _made(solver: Solver, dotted: str, call: Call, level: int) -> None:
    """`X.new` of a class outside: a thing of it, or a container that its block fills."""
    if dotted in ("<builtin>.Array", "<builtin>.Hash", "Set"):
        index = _list(solver, call, "new", level, "dict" if dotted == "<builtin>.Hash" else "list")
        itself = solver.fresh()
        solver.add(itself, index * 4 + level)
        _run(solver, call, [itself] if dotted == "<builtin>.Hash" else [], solver.field(index, REST), level)
        for variable, _ in call.arguments[-1:] if dotted != "<builtin>.Hash" else call.arguments[:1]:
            if variable >= 0:
                if dotted == "Set":
                    solver.watch(variable, Poured(index, level))
                else:
                    solver.copy(variable, solver.field(index, REST), level)
        return
    _run(solver, call, [], -1, level)
    if call.result >= 0:
        solver.add(call.result, solver.values.value("made", dotted, level=level))


def _of_enumerable(policy: Ruby, solver: Solver, receiver: int, call: Call, level: int) -> None:
    """Enumerable's methods run the class's own `each`, which gives its values to the block."""
    for file, key, _ in policy.find(policy.of(solver, receiver), "each", own=False):
        inner = Call(call.unit, call.site, call.callee, [], [one for one in call.keywords if one[0] == "&"], -1)
        solver.watch(solver.variable(file, key), Runs(receiver, inner, level))


def _send(policy: Ruby, solver: Solver, receiver: int, call: Call, level: int) -> None:
    """The method that a text names."""
    if receiver < 0 or not call.arguments or call.arguments[0][0] < 0:
        return
    rest = Call(call.unit, call.site, call.callee, call.arguments[1:], call.keywords, call.result)
    solver.watch(call.arguments[0][0], Sent(policy, receiver, rest, max(level, INFERRED)))


def _named(policy: Ruby, solver: Solver, receiver: int, call: Call, level: int) -> None:
    if receiver >= 0 and call.arguments and call.arguments[0][0] >= 0 and call.result >= 0:
        solver.watch(call.arguments[0][0], Sent(policy, receiver, call, max(level, INFERRED), taken=True))


class Callback:
    """A block or a function that a method outside calls with values."""

    __slots__ = ("arguments", "call", "level", "result", "this")

    def __init__(self, call: Call, arguments: list[tuple[int, bool]], result: int, level: int, this: int) -> None:
        self.call, self.arguments, self.result, self.level, self.this = call, arguments, result, level, this

    def react(self, solver: Solver, value: int) -> None:
        """Bind the values; a function that is no block is called from where the method outside is."""
        index, level = value >> 2, max(value & 3, self.level)
        this = self.this * 4 + level if self.this >= 0 else -1
        if solver.values.kind[index] == "bound":
            index, receiver = solver.values.what[index]
            this = receiver * 4 + level if self.this < 0 else this
        if solver.values.kind[index] != "function":
            return
        call = Call(self.call.unit, self.call.site, self.call.callee, self.arguments, [], self.result)
        solver.invoke(index, call, level, this=this)
        path, name = solver.values.what[index]
        if "block" not in solver.functions[index].symbol.flags:
            solver.imply(self.call, f"{path}::{name}", "", level)


class Runs:
    """A method of the project that one outside runs. flag: of the edge."""

    __slots__ = ("call", "flag", "level", "receiver")

    def __init__(self, receiver: int, call: Call, level: int, flag: str = "") -> None:
        self.receiver, self.call, self.level, self.flag = receiver, call, level, flag

    def react(self, solver: Solver, value: int) -> None:
        """Bind the block that is handed on."""
        index, level = value >> 2, max(value & 3, self.level)
        if solver.values.kind[index] == "function":
            solver.invoke(index, self.call, level, this=self.receiver * 4 + level)
            path, name = solver.values.what[index]
            solver.imply(self.call, f"{path}::{name}", self.flag, level)


class Sent:
    """A method by a name that is a value. taken: it is not called, but answered with."""

    __slots__ = ("call", "level", "policy", "receiver", "taken")

    def __init__(self, policy: Ruby, receiver: int, call: Call, level: int, *, taken: bool = False) -> None:
        self.policy, self.receiver, self.call, self.level, self.taken = policy, receiver, call, level, taken

    def react(self, solver: Solver, value: int) -> None:
        """Look a text up and call what is found."""
        index = value >> 2
        if solver.values.kind[index] != "text":
            return
        target = self.call.result if self.taken else solver.fresh()
        load = Load(self.call.unit, self.call.site, -1, solver.values.what[index][0], target, True)
        self.policy.load(solver, at_least(self.receiver * 4, self.level), load)
        if not self.taken:
            solver.watch(target, Reached(self.policy, self.call, self.level))


class Reached:
    """A callee that no call names: the call goes to it, and is noted."""

    __slots__ = ("call", "level", "policy")

    def __init__(self, policy: Ruby, call: Call, level: int) -> None:
        self.policy, self.call, self.level = policy, call, level

    def react(self, solver: Solver, value: int) -> None:
        """Call it."""
        value = at_least(value, self.level)
        self.policy.call(solver, value, self.call)
        for target in self.policy.targets(solver, value, self.call):
            solver.imply(self.call, target, "", self.level)


class Poured:
    """The elements of what a variable holds, put into a container."""

    __slots__ = ("into", "level")

    def __init__(self, into: int, level: int) -> None:
        self.into, self.level = into, level

    def react(self, solver: Solver, value: int) -> None:
        """Of containers their elements; anything else is an element itself where a list was flattened."""
        index, level = value >> 2, max(value & 3, self.level)
        if solver.values.kind[index] == "container":
            solver.copy(solver.field(index, ANY), solver.field(self.into, REST), level)
        elif level in (EXACT, INFERRED):
            solver.add(solver.field(self.into, REST), at_least(value, level))
