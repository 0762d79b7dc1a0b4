"""The mutants of a file, single changes of its code in Python or WGSL; those of a package in a drawn order."""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: (r"is\s+not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: (r"\+", "-"), ast.Sub: ("-", "+"), ast.Mult: (r"\*", "//"), ast.FloorDiv: ("//", "*"), ast.Div: ("/", "*"),
    ast.Mod: ("%", "*"), ast.Pow: (r"\*\*", "*"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"), ast.BitOr: (r"\|", "&"), ast.BitXor: (r"\^", "|"),
    ast.MatMult: ("@", "*"),
    ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
OPPOSITES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "all": "any", "any": "all"}
OPPOSITES |= {"argmin": "argmax", "argmax": "argmin", "ceil": "floor", "floor": "ceil"}
SILENT = {"print", "echo", "secho", "warn", "debug", "info", "warning"}
WGSL = [
    ("comparison", r"(?<= )(?:<=?|>=?|==|!=)(?= )",
     {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}),
    ("arithmetic", r"(?<= )(?:[-+*/%&|^]|<<|>>|&&|\|\|)(?= )",
     {"+": "-", "-": "+", "*": "+", "/": "*", "%": "*", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<",
      "&&": "||", "||": "&&"}),
    ("arithmetic", r"\b(?:min|max)(?=\()", OPPOSITES),
    ("arithmetic", r"(?<= )[-+*&|^]=(?= )", {"+=": "-=", "-=": "+=", "*=": "+=", "&=": "|=", "|=": "&=", "^=": "|="}),
    ("constant", r"(?<![\w.])\d+(?=[ui]?\b)(?!\.)", lambda n: str(int(n) + 1)),
    ("constant", r"(?<![\w.])\d+\.\d*(?:e-?\d+)?", lambda x: repr(1.5 * float(x) or 1.0)),
    ("constant", r"\b(?:true|false)\b", {"true": "false", "false": "true"}),
    ("statement", r"(?<=\n)[ ]*[a-z]\w*(?:\.\w+|\[[^;\n]*\])* [-+*/%&|^]?= [^;\n]*;", lambda _: ""),
]  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """Bytes ``start`` to ``end`` of a file, and what stands there instead."""

    path: str
    line: int
    start: int
    end: int
    kind: str
    old: str
    new: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.new.encode() + source[self.end :]


def mutants(path: str, source: bytes) -> list[Mutant]:
    """Every mutant of a file, in the order of its bytes."""
    edits = sorted(set(_wgsl(source.decode()) if path.endswith(".wgsl") else _python(source)))
    return [
        Mutant(path, source[:start].count(b"\n") + 1, start, end, kind, source[start:end].decode(), new)
        for start, end, kind, new in edits
    ]


Edit = tuple[int, int, str, str]  # start, end, kind, what stands there instead


def _wgsl(source: str) -> Iterator[Edit]:
    code = re.sub(r"//.*|/\*.*?\*/|.*@.*", lambda found: " " * len(found[0]), source)
    for kind, pattern, replacement in WGSL:
        for found in re.finditer(pattern, code):
            start, end = (len(source[:at].encode()) for at in found.span())
            start += kind == "statement" and len(found[0]) - len(found[0].lstrip())
            yield start, end, kind, replacement(found[0]) if callable(replacement) else replacement[found[0]]


def _python(source: bytes) -> Iterator[Edit]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.AST) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def between(left: ast.AST, right: ast.AST, kind: str, operator: tuple[str, str]) -> Iterator[Edit]:
        """An operator's place: between its operands, where parentheses and comments may stand too."""
        start, end = span(left)[1], span(right)[0]
        gap = re.sub(rb"#.*", lambda found: b" " * len(found[0]), source[start:end])
        found = re.search(operator[0].encode(), gap)
        yield start + found.start(), start + found.end(), kind, operator[1]

    def statement(node: ast.stmt) -> bool:
        """Dropped, it leaves code that runs: a call, a change in place, a leap."""
        if isinstance(node, ast.Assign):
            return all(isinstance(target, ast.Subscript | ast.Attribute) for target in node.targets)
        call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        return call or isinstance(node, ast.AugAssign | ast.Raise | ast.Break | ast.Continue | ast.Delete)

    def visit(node: ast.AST) -> Iterator[Edit]:
        if _unmutated(node):
            return
        if isinstance(node, ast.stmt) and statement(node):
            yield *span(node), "statement", "pass"
        if isinstance(node, ast.Raise):
            return
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
                yield from between(left, right, "comparison", COMPARISONS[type(operator)])
        elif (
            isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not (_text(node.left) or _text(node.right))
        ):
            yield from between(node.left, node.right, "arithmetic", ARITHMETIC[type(node.op)])
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from between(left, right, "arithmetic", ARITHMETIC[type(node.op)])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield span(node)[0], span(node)[0] + len("not"), "comparison", ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            yield *span(node), "constant", repr(_changed(node.value))
        elif (name := _name(node)) in OPPOSITES:
            yield span(node)[1] - len(name), span(node)[1], "arithmetic", OPPOSITES[name]
        for field, child in ast.iter_fields(node):
            if field not in ("annotation", "returns", "decorator_list", "type_params"):
                for below in child if isinstance(child, list) else [child]:
                    if isinstance(below, ast.AST):
                        yield from visit(below)

    yield from visit(ast.parse(source))


def surroundings(path: str, source: bytes, line: int) -> tuple[range, range]:
    """The lines of the innermost statement at a line, or of its head if it holds others, and of its function's body.

    Both are empty for a kernel, the body at the top of a module.
    """
    statement = function = range(0)
    for node in ast.walk(ast.parse(source)) if path.endswith(".py") else ():  # outer ones first
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            below = getattr(node, "body", None)
            head = range(node.lineno, max(node.lineno, below[0].lineno - 1) + 1 if below else node.end_lineno + 1)
            statement = head if line in head else range(line, line + 1)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and line not in head:
                function = range(below[0].lineno, node.end_lineno + 1)
    return statement, function


def _changed(value: bool | float) -> bool | float:
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else 1.5 * value or 1.0


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _unmutated(node: ast.AST) -> bool:
    """Messages, ``__all__``, types, and functions that draw: what they show is judged by eye."""
    if isinstance(node, ast.FunctionDef):
        drawing = ast.unparse(node.returns) if node.returns else ""
        return "Figure" in drawing or any(argument.arg in ("axes", "figure") for argument in node.args.args)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _name(node.value.func) in SILENT
    if isinstance(node, ast.Call):
        return _name(node.func) in SILENT
    return isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert)


def spread(root: Path, package: str, seed: int) -> list[Mutant]:
    """A package's mutants, one a line, in an order that the seed and the line's text decide."""
    by_line: dict[tuple[str, int], list[Mutant]] = {}
    for path in sorted((*(root / package).rglob("*.py"), *(root / package).rglob("*.wgsl"))):
        for mutant in mutants(path.relative_to(root).as_posix(), path.read_bytes()):
            by_line.setdefault((mutant.path, mutant.line), []).append(mutant)
    drawn = []
    for (path, line), among in by_line.items():
        text = (root / path).read_bytes().splitlines()[line - 1].decode().strip()
        key = int.from_bytes(hashlib.sha256(f"{seed}:{path}:{text}".encode()).digest())
        drawn.append((key, line, among[key % len(among)]))
    return [mutant for *_, mutant in sorted(drawn, key=lambda entry: entry[:2])]
