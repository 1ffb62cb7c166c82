"""Python that does not parse: other versions' syntax, half-edited files.

The file is cut where definitions begin at the margin. Pieces that parse are taken as they are; of the others,
tree-sitter's tolerant tree is turned into the standard one, without what it could not make sense of.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from sbfs.code.treesitter import language

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_DEFINITION = re.compile(r"(?:@|def\b|class\b|async\s+def\b)")
_STATEMENT = re.compile(r"(?!(?:else|elif|except|finally|case)\b)\w")


def parsed(text: str) -> ast.Module:
    """The statements of a source that can be read."""
    from tree_sitter import Parser

    parser = Parser(language("python"))
    body: list[ast.stmt] = []
    for start, piece in _pieces(text):
        body += _statements(piece, start, parser)
    return ast.Module(body, [])


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """(lines before it, text) of each stretch between definitions at the margin."""
    lines = text.split("\n")
    start, in_definition, decorated = 0, False, False
    for number, line in enumerate(lines):
        begins = _DEFINITION.match(line) is not None
        if decorated and begins:
            decorated = line.startswith("@")
            continue
        if begins or (in_definition and _STATEMENT.match(line)):
            if number > start:
                yield start, "\n".join(lines[start:number])
            start, in_definition, decorated = number, begins, line.startswith("@")
    yield start, "\n".join(lines[start:])


def _statements(piece: str, start: int, parser: Parser) -> list[ast.stmt]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree: ast.AST = ast.parse(piece)
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
            raw = piece.replace("\0", " ").encode("utf-8", "replace")
            tree = ast.Module(_Tolerant().block(parser.parse(raw).root_node.children), [])
    for node in ast.walk(tree):
        if "lineno" in node._attributes:
            node.lineno += start  # type: ignore[attr-defined]
            node.end_lineno += start  # type: ignore[attr-defined]
    return tree.body  # type: ignore[attr-defined, no-any-return]


_LOAD, _STORE = ast.Load(), ast.Store()
_OPERATORS: dict[str, type[ast.operator]] = {"+": ast.Add, "%": ast.Mod, "|": ast.BitOr, "*": ast.Mult}
"""Those that give what may be called; for all others stands `-`."""


class _Tolerant:
    """Turns tree-sitter's nodes into those of the standard parser. What is unknown becomes None, and is left out."""

    def block(self, nodes: Iterable[Node]) -> list[ast.stmt]:
        """Statements; where a piece was not understood, those within it."""
        found: list[ast.stmt] = []
        for node in nodes:
            try:
                found += self._statement(node)
            except RecursionError:
                continue
        return found

    def _statement(self, node: Node) -> list[ast.stmt]:
        make: Callable[[Node], Any] | None = getattr(self, f"_{node.type}", None)
        if make is None:
            if node.type in ("ERROR", "block", "module"):
                return self.block(node.children)
            value = self.value(node)
            return [] if value is None else [_at(node, ast.Expr(value))]
        made = make(node)
        return made if isinstance(made, list) else [] if made is None else [made]

    # -- definitions --------------------------------------------------------------------------

    def _function_definition(self, node: Node) -> Any:
        name = node.child_by_field_name("name")
        if name is None:
            return None
        is_async = bool(node.children) and node.children[0].type == "async"
        kind: Any = ast.AsyncFunctionDef if is_async else ast.FunctionDef
        parameters = node.child_by_field_name("parameters")
        returns = node.child_by_field_name("return_type")
        made = kind(
            _name(name), self._parameters(parameters), self._body(node), [], self.value(returns) if returns else None
        )
        made.type_params = []
        return _at(node, made)

    def _class_definition(self, node: Node) -> Any:
        name = node.child_by_field_name("name")
        if name is None:
            return None
        bases, keywords = self._arguments(node.child_by_field_name("superclasses"))
        made = ast.ClassDef(_name(name), bases, keywords, self._body(node), [])
        made.type_params = []  # type: ignore[attr-defined]
        return _at(node, made)

    def _decorated_definition(self, node: Node) -> Any:
        definition = node.child_by_field_name("definition")
        made = self._statement(definition) if definition else []
        if not made:
            return None
        for one in node.children:
            if one.type == "decorator" and (value := self._first(one)) is not None:
                made[0].decorator_list.append(value)  # type: ignore[attr-defined]
        return made[0]

    def _body(self, node: Node, field: str = "body") -> list[ast.stmt]:
        body = node.child_by_field_name(field)
        return self.block(body.children) if body is not None else []

    def _parameters(self, node: Node | None) -> Any:
        made = ast.arguments([], [], None, [], [], None, [])
        rest = False
        for one in node.named_children if node is not None else ():
            kind = one.type
            if kind == "positional_separator":
                made.posonlyargs, made.args = made.args, []
                continue
            if kind == "keyword_separator":
                rest = True
                continue
            name = one if kind == "identifier" else one.child_by_field_name("name") or _named(one)
            if name is None:
                continue
            starred = {"list_splat_pattern": "*", "dictionary_splat_pattern": "**"}.get(
                name.type if kind == "typed_parameter" else kind, ""
            )
            if name.type != "identifier":
                name = _named(name) or name
            hint = one.child_by_field_name("type")
            argument = _at(one, ast.arg(_name(name), self.value(hint) if hint else None))
            default = one.child_by_field_name("value")
            if starred == "*":
                made.vararg, rest = argument, True
            elif starred:
                made.kwarg = argument
            elif rest:
                made.kwonlyargs.append(argument)
                made.kw_defaults.append(self.value(default) if default else None)
            else:
                made.args.append(argument)
                if default is not None:
                    made.defaults.append(self.value(default) or _at(default, ast.Constant(None)))
                elif made.defaults:
                    made.defaults.append(_at(one, ast.Constant(None)))
        return made

    # -- simple statements --------------------------------------------------------------------

    def _expression_statement(self, node: Node) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for one in node.named_children:
            if one.type in ("assignment", "augmented_assignment"):
                found += self._assignment(one)
            elif (value := self.value(one)) is not None:
                found.append(_at(one, ast.Expr(value)))
        return found

    def _assignment(self, node: Node) -> list[ast.stmt]:
        targets: list[ast.expr] = []
        hint, right = node.child_by_field_name("type"), node
        while right is not None and right.type == "assignment":
            left = right.child_by_field_name("left")
            if left is not None and (target := self.value(left)) is not None:
                targets.append(_stored(target))
            right = right.child_by_field_name("right")  # type: ignore[assignment]
        if right is node:  # an augmented one
            target, value = self._field(node, "left"), self._field(node, "right")
            if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript) or value is None:
                return []
            adds = any(one.type == "+=" for one in node.children)
            return [_at(node, ast.AugAssign(_stored(target), ast.Add() if adds else ast.Sub(), value))]
        value = self.value(right) if right is not None else None
        if hint is not None and targets:
            return [
                _at(
                    node,
                    ast.AnnAssign(cast(Any, targets[0]), self.value(hint) or _at(hint, ast.Constant(None)), value, 1),
                )
            ]
        if value is None or not targets:
            return []
        return [_at(node, ast.Assign(targets, value))]

    def _return_statement(self, node: Node) -> Any:
        return _at(node, ast.Return(self._first(node)))

    def _raise_statement(self, node: Node) -> Any:
        value = self._first(node)
        if isinstance(value, ast.Tuple) and value.elts:  # Python 2: class, argument
            value = value.elts[0]
        return _at(node, ast.Raise(value, None))

    def _print_statement(self, node: Node) -> list[ast.stmt]:
        return self._each(one for one in node.named_children)

    def _exec_statement(self, node: Node) -> list[ast.stmt]:
        return self._each(one for one in node.named_children)

    def _assert_statement(self, node: Node) -> list[ast.stmt]:
        return self._each(node.named_children)

    def _each(self, nodes: Iterable[Node]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for one in nodes:
            value = self._first(one) if one.type == "chevron" else self.value(one)
            if value is not None:
                found.append(_at(one, ast.Expr(value)))
        return found

    def _delete_statement(self, node: Node) -> Any:
        value = self._first(node)
        targets = value.elts if isinstance(value, ast.Tuple) else [value] if value else []
        return _at(node, ast.Delete([_stored(one) for one in targets]))

    def _global_statement(self, node: Node) -> Any:
        return _at(node, ast.Global([_name(one) for one in node.named_children]))

    def _nonlocal_statement(self, node: Node) -> Any:
        return _at(node, ast.Nonlocal([_name(one) for one in node.named_children]))

    def _pass_statement(self, _node: Node) -> None:
        return None

    def _break_statement(self, node: Node) -> Any:
        return _at(node, ast.Break())

    def _continue_statement(self, node: Node) -> Any:
        return _at(node, ast.Continue())

    def _type_alias_statement(self, _node: Node) -> None:
        return None

    def _comment(self, _node: Node) -> None:
        return None

    def _import_statement(self, node: Node) -> Any:
        return _at(node, ast.Import([self._alias(one) for one in node.children_by_field_name("name")]))

    def _import_from_statement(self, node: Node) -> Any:
        module = node.child_by_field_name("module_name")
        spec = _text(module).replace(" ", "") if module is not None else ""
        names = [self._alias(one) for one in node.children_by_field_name("name")]
        if any(one.type == "wildcard_import" for one in node.children):
            names = [_at(node, ast.alias("*"))]
        bare = spec.lstrip(".")
        return _at(node, ast.ImportFrom(bare or None, names, len(spec) - len(bare)))

    def _future_import_statement(self, node: Node) -> Any:
        names = [self._alias(one) for one in node.children_by_field_name("name")]
        return _at(node, ast.ImportFrom("__future__", names, 0))

    def _alias(self, node: Node) -> Any:
        name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
        return _at(node, ast.alias(_text(name or node).replace(" ", ""), _name(alias) if alias is not None else None))

    # -- compound statements ------------------------------------------------------------------

    def _if_statement(self, node: Node) -> list[ast.stmt]:
        return self._branches(node, [one for one in node.children if one.type in ("elif_clause", "else_clause")])

    def _branches(self, node: Node, others: list[Node]) -> list[ast.stmt]:
        test = self._field(node, "condition") or _at(node, ast.Constant(True))
        orelse: list[ast.stmt] = []
        if others:
            first, *rest = others
            orelse = self._body(first) if first.type == "else_clause" else self._branches(first, rest)
        return [_at(node, ast.If(test, self._body(node, "consequence"), orelse))]

    def _for_statement(self, node: Node) -> list[ast.stmt]:
        target, items = self._field(node, "left"), self._field(node, "right")
        if target is None or items is None:
            return self._body(node)
        is_async = bool(node.children) and node.children[0].type == "async"
        kind: Any = ast.AsyncFor if is_async else ast.For
        return [_at(node, kind(_stored(target), items, self._body(node), self._else(node)))]

    def _while_statement(self, node: Node) -> list[ast.stmt]:
        test = self._field(node, "condition") or _at(node, ast.Constant(None))
        return [_at(node, ast.While(test, self._body(node), self._else(node)))]

    def _else(self, node: Node) -> list[ast.stmt]:
        clause = node.child_by_field_name("alternative")
        return self._body(clause) if clause is not None else []

    def _try_statement(self, node: Node) -> list[ast.stmt]:
        handlers, orelse, final = [], [], []
        for one in node.children:
            if one.type in ("except_clause", "except_group_clause"):
                handlers.append(self._handler(one))
            elif one.type == "else_clause":
                orelse = self._body(one)
            elif one.type == "finally_clause":
                final = self._last_block(one)
        return [_at(node, ast.Try(self._body(node), handlers, orelse, final))]

    def _handler(self, node: Node) -> Any:
        values = node.children_by_field_name("value")
        kind = values[0] if values else None
        name = values[1] if len(values) > 1 else None
        if kind is not None and kind.type == "as_pattern":
            alias = kind.child_by_field_name("alias")
            kind, name = kind.named_children[0], _named(alias) if alias is not None else None
        caught = self.value(kind) if kind is not None else None
        called = _name(name) if name is not None and name.type == "identifier" else None
        return _at(node, ast.ExceptHandler(caught, called, self._last_block(node)))

    def _last_block(self, node: Node) -> list[ast.stmt]:
        blocks = [one for one in node.children if one.type == "block"]
        return self.block(blocks[-1].children) if blocks else []

    def _with_statement(self, node: Node) -> list[ast.stmt]:
        items = []
        todo = [one for one in node.children if one.type == "with_clause"]
        for one in todo:
            todo.extend(each for each in one.named_children if each.type in ("with_item", "with_clause"))
            if one.type == "with_item" and (value := one.child_by_field_name("value")) is not None:
                target = None
                if value.type == "as_pattern":
                    alias = value.child_by_field_name("alias")
                    target = self._first(alias) if alias is not None else None
                    value = value.named_children[0]
                context = self.value(value)
                if context is not None:
                    items.append(ast.withitem(context, _stored(target) if target is not None else None))
        is_async = bool(node.children) and node.children[0].type == "async"
        kind: Any = ast.AsyncWith if is_async else ast.With
        return [_at(node, kind(items, self._body(node)))]

    def _match_statement(self, node: Node) -> list[ast.stmt]:
        """Its cases' bodies, without what their patterns bind."""
        subject = node.child_by_field_name("subject")
        value = self.value(subject) if subject is not None else None
        found: list[ast.stmt] = [_at(node, ast.Expr(value))] if value is not None else []
        body = node.child_by_field_name("body")
        cases = body.named_children if body is not None else []
        return found + [
            _at(case, ast.If(_at(case, ast.Constant(True)), self._body(case, "consequence"), [])) for case in cases
        ]

    # -- expressions --------------------------------------------------------------------------

    def value(self, node: Node) -> Any:
        """An expression, or None where it was not understood."""
        make: Callable[[Node], Any] | None = getattr(self, f"_x_{node.type}", None)
        if make is not None:
            return make(node)
        if node.type in ("integer", "float", "true", "false", "none", "ellipsis"):
            return _at(node, ast.Constant(_number(node)))
        parts = [value for one in node.named_children if (value := self.value(one)) is not None]
        if node.type in ("tuple", "expression_list", "pattern_list", "tuple_pattern"):
            return _at(node, ast.Tuple(parts, _LOAD))
        if node.type in ("list", "list_pattern"):
            return _at(node, ast.List(parts, _LOAD))
        if node.type == "set":
            return _at(node, ast.Set(parts))
        if len(parts) == 1 and node.type in ("parenthesized_expression", "type", "ERROR", "as_pattern_target"):
            return parts[0]
        return _at(node, ast.Compare(parts[0], [ast.Eq()] * len(parts[1:]), parts[1:])) if parts else None

    def _field(self, node: Node, name: str) -> Any:
        child = node.child_by_field_name(name)
        return None if child is None else self.value(child)

    def _first(self, node: Node) -> Any:
        return next((value for one in node.named_children if (value := self.value(one)) is not None), None)

    def _x_identifier(self, node: Node) -> Any:
        return _at(node, ast.Name(_name(node), _LOAD))

    def _x_dotted_name(self, node: Node) -> Any:
        first, *rest = node.named_children
        made: ast.expr = self._x_identifier(first)
        for one in rest:
            made = _at(node, ast.Attribute(made, _name(one), _LOAD))
        return made

    def _x_attribute(self, node: Node) -> Any:
        base, name = self._field(node, "object"), node.child_by_field_name("attribute")
        return base if base is None or name is None else _at(node, ast.Attribute(base, _name(name), _LOAD))

    def _x_subscript(self, node: Node) -> Any:
        base = self._field(node, "value")
        keys = [value for one in node.children_by_field_name("subscript") if (value := self.value(one)) is not None]
        if base is None or not keys:
            return base
        key = keys[0] if len(keys) == 1 else _at(node, ast.Tuple(keys, _LOAD))
        return _at(node, ast.Subscript(base, key, _LOAD))

    def _x_generic_type(self, node: Node) -> Any:
        base, parameters = node.named_children[0], node.named_children[-1]
        keys = [value for one in parameters.named_children if (value := self.value(one)) is not None]
        made = self.value(base)
        if made is None or not keys:
            return made
        key = keys[0] if len(keys) == 1 else _at(node, ast.Tuple(keys, _LOAD))
        return _at(node, ast.Subscript(made, key, _LOAD))

    def _x_union_type(self, node: Node) -> Any:
        made, *more = [value for one in node.named_children if (value := self.value(one)) is not None] or [None]
        for one in more:
            made = _at(node, ast.BinOp(made, ast.BitOr(), one))
        return made

    def _x_slice(self, node: Node) -> Any:
        bounds: list[Any] = [None, None, None]
        place = 0
        for one in node.children:
            if one.type == ":":
                place += 1
            elif one.is_named and place < 3:
                bounds[place] = self.value(one)
        return _at(node, ast.Slice(*bounds))

    def _x_call(self, node: Node) -> Any:
        callee = self._field(node, "function")
        arguments, keywords = self._arguments(node.child_by_field_name("arguments"))
        return None if callee is None else _at(node, ast.Call(callee, arguments, keywords))

    def _arguments(self, node: Node | None) -> tuple[list[ast.expr], list[ast.keyword]]:
        arguments: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        if node is not None and node.type == "generator_expression":
            return [self.value(node)], []
        for one in node.named_children if node is not None else ():
            if one.type == "keyword_argument":
                name, value = one.child_by_field_name("name"), self._field(one, "value")
                if name is not None and value is not None:
                    keywords.append(_at(one, ast.keyword(_name(name), value)))
            elif one.type == "dictionary_splat":
                if (value := self._first(one)) is not None:
                    keywords.append(_at(one, ast.keyword(None, value)))
            elif (value := self.value(one)) is not None:
                arguments.append(value)
        return arguments, keywords

    def _x_list_splat(self, node: Node) -> Any:
        value = self._first(node)
        return None if value is None else _at(node, ast.Starred(value, _LOAD))

    _x_list_splat_pattern = _x_list_splat

    def _x_string(self, node: Node) -> Any:
        inner: list[ast.expr] = []
        todo = [one for one in node.named_children if one.type == "interpolation"]
        for one in todo:
            if (value := self._field(one, "expression")) is not None:
                inner.append(_at(one, ast.FormattedValue(value, -1, None)))
            for part in one.named_children:
                if part.type == "format_specifier":
                    todo += [each for each in part.named_children if each.type == "format_expression"]
        if inner:
            return _at(node, ast.JoinedStr(inner))
        text = "".join(_text(one) for one in node.named_children if one.type == "string_content")
        is_bytes = bool(node.children) and "b" in _text(node.children[0]).lower()
        return _at(node, ast.Constant(text.encode() if is_bytes else text))

    def _x_concatenated_string(self, node: Node) -> Any:
        parts: list[Any] = [self._x_string(one) for one in node.named_children if one.type == "string"]
        inner = [one for part in parts if isinstance(part, ast.JoinedStr) for one in part.values]
        if inner:
            return _at(node, ast.JoinedStr(inner))
        if any(isinstance(part.value, bytes) for part in parts):
            return _at(node, ast.Constant(b""))
        return _at(node, ast.Constant("".join(part.value for part in parts)))

    def _x_dictionary(self, node: Node) -> Any:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for one in node.named_children:
            splat = one.type == "dictionary_splat"
            key = None if splat else self._field(one, "key")
            value = self._first(one) if splat else self._field(one, "value")
            if value is not None and (splat or key is not None):
                keys.append(key)
                values.append(value)
        return _at(node, ast.Dict(keys, values))

    def _x_binary_operator(self, node: Node) -> Any:
        left, right = self._field(node, "left"), self._field(node, "right")
        if left is None or right is None:
            return left or right
        kind = next((one.type for one in node.children if one.type in _OPERATORS), "-")
        op: ast.operator = _OPERATORS.get(kind, ast.Sub)()
        return _at(node, ast.BinOp(left, op, right))

    def _x_boolean_operator(self, node: Node) -> Any:
        left, right = self._field(node, "left"), self._field(node, "right")
        if left is None or right is None:
            return left or right
        op: ast.boolop = ast.Or() if any(one.type == "or" for one in node.children) else ast.And()
        return _at(node, ast.BoolOp(op, [left, right]))

    def _x_unary_operator(self, node: Node) -> Any:
        value = self._field(node, "argument")
        op: ast.unaryop = ast.USub() if any(one.type == "-" for one in node.children) else ast.UAdd()
        return None if value is None else _at(node, ast.UnaryOp(op, value))

    def _x_not_operator(self, node: Node) -> Any:
        value = self._first(node)
        return None if value is None else _at(node, ast.UnaryOp(ast.Not(), value))

    def _x_conditional_expression(self, node: Node) -> Any:
        parts = [self.value(one) for one in node.named_children]
        if len(parts) != 3 or None in parts:
            return next((part for part in parts if part is not None), None)
        return _at(node, ast.IfExp(parts[1], parts[0], parts[2]))

    def _x_named_expression(self, node: Node) -> Any:
        name, value = node.child_by_field_name("name"), self._field(node, "value")
        if name is None or value is None:
            return value
        return _at(node, ast.NamedExpr(_at(name, ast.Name(_name(name), _STORE)), value))

    def _x_await(self, node: Node) -> Any:
        value = self._first(node)
        return None if value is None else _at(node, ast.Await(value))

    def _x_yield(self, node: Node) -> Any:
        value = self._first(node)
        if value is not None and any(one.type == "from" for one in node.children):
            return _at(node, ast.YieldFrom(value))
        return _at(node, ast.Yield(value))

    def _x_lambda(self, node: Node) -> Any:
        body = self._field(node, "body") or _at(node, ast.Constant(None))
        return _at(node, ast.Lambda(self._parameters(node.child_by_field_name("parameters")), body))

    def _x_list_comprehension(self, node: Node) -> Any:
        return _at(node, ast.ListComp(*self._comprehension(node)))

    def _x_set_comprehension(self, node: Node) -> Any:
        return _at(node, ast.SetComp(*self._comprehension(node)))

    def _x_generator_expression(self, node: Node) -> Any:
        return _at(node, ast.GeneratorExp(*self._comprehension(node)))

    def _x_dictionary_comprehension(self, node: Node) -> Any:
        body, generators = self._comprehension(node)
        if isinstance(body, ast.Compare):  # a pair
            return _at(
                node, ast.DictComp(body.left, body.comparators[-1] if body.comparators else body.left, generators)
            )
        return None

    def _comprehension(self, node: Node) -> tuple[ast.expr, list[ast.comprehension]]:
        body = self._field(node, "body") or _at(node, ast.Constant(None))
        generators: list[ast.comprehension] = []
        for one in node.named_children:
            if one.type == "for_in_clause":
                target, items = self._field(one, "left"), self._field(one, "right")
                if target is not None and items is not None:
                    is_async = int(one.children[0].type == "async")
                    generators.append(ast.comprehension(_stored(target), items, [], is_async))
            elif one.type == "if_clause" and generators and (test := self._first(one)) is not None:
                generators[-1].ifs.append(test)
        return body, generators


def _at(node: Node, made: Any) -> Any:
    """Give a node its place."""
    made.lineno, made.col_offset = node.start_point[0] + 1, node.start_point[1]
    made.end_lineno, made.end_col_offset = node.end_point[0] + 1, node.end_point[1]
    return made


def _text(node: Node) -> str:
    return node.text.decode("utf-8", "replace") if node.text else ""


def _name(node: Node) -> str:
    text = _text(node)
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _named(node: Node) -> Node | None:
    return node.named_children[0] if node.named_children else None


def _number(node: Node) -> int | None:
    text = _text(node)
    return int(text) if node.type == "integer" and text.isdecimal() and text.isascii() and len(text) < 10 else None


def _stored(target: Any) -> Any:
    """A target: what is assigned to in it is marked so."""
    if isinstance(target, ast.Name | ast.Attribute | ast.Subscript | ast.Starred):
        target.ctx = _STORE
    if isinstance(target, ast.Starred):
        _stored(target.value)
    if isinstance(target, ast.Tuple | ast.List):
        target.ctx = _STORE
        for one in target.elts:
            _stored(one)
    return target
