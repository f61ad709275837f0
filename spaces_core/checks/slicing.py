"""The statements of a chapter's check cells on which the checks of some labels depend, and no others."""

from __future__ import annotations

import ast
import re
import symtable
from dataclasses import dataclass, replace

from .page import Page

SETS_UP = {"setting", "define", "assume", "operator"}
ASKS = {"prove", "argue", "sample", "measure", "demonstrate", "refute", "trap", "report"}
ELSEWHERE = {"assuming", "corrected", "rests", "rules"}


@dataclass(frozen=True)
class Piece:
    """One top-level statement: what it reads, what it binds anew and what it may change."""

    source: str
    node: ast.stmt
    reads: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]
    deferred: bool
    line: int = 0


def pieces(page: Page) -> list[Piece]:
    """The statements of all cells tagged `check`, in order."""
    found = []
    for cell in page.cells:
        if "check" in cell.tags:
            for node in ast.parse(cell.source).body:
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                source = "\n".join(cell.source.split("\n")[first - 1 : node.end_lineno])
                found.append(replace(_piece(source, node), line=cell.line + first))
    return found


def needed(page: Page, labels: set[str]) -> list[Piece]:
    """What the checks of these labels run: they, the page's definitions, and what these read, traced backwards.

    Returns:
        the statements in order; empty if none names one of the labels.
    """
    every = pieces(page)
    roots = [k for k, p in enumerate(every) if _checks(p.node, labels)]
    if not roots:
        return []
    last = max(roots)
    roots += [k for k, p in enumerate(every[:last]) if _calls(p.node) & SETS_UP]
    keep = set(roots)
    todo = [(name, k) for k in roots for name in every[k].reads]
    seen = set()
    while todo:
        name, before = todo.pop()
        if (name, before) in seen:
            continue
        seen.add((name, before))
        for k in range(before - 1, -1, -1):
            piece = every[k]
            if name in piece.binds or name in piece.changes:
                keep.add(k)
                todo += [(n, k) for n in piece.reads]
                todo += [(n, before) for n in piece.reads if piece.deferred]
            if name in piece.binds:
                break
    return [every[k] for k in sorted(keep)]


def undefined(kept: list[Piece]) -> set[str]:
    """Names that these statements read and none of them binds."""
    import builtins

    bound = {n for p in kept for n in p.binds | p.changes} | set(dir(builtins))
    return {n for p in kept for n in p.reads} - bound


def imports(kept: list[Piece]) -> set[str]:
    """The modules that these statements import: whole names in this package, else the first part."""
    names = set()
    for node in (n for p in kept for n in ast.walk(p.node)):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {n if n.startswith("spaces_core") else n.split(".")[0] for n in names}


def _piece(source: str, node: ast.stmt) -> Piece:
    reads, stores = set(), set()

    def visit(table, top):
        for s in table.get_symbols():
            if s.is_referenced() and (top or s.is_global()):
                reads.add(s.get_name())
            if top and (s.is_assigned() or s.is_imported()):
                stores.add(s.get_name())
        for child in table.get_children():
            visit(child, False)

    visit(symtable.symtable(source, "cell", "exec"), True)
    changes = {n for target in _changed(node) if (n := _base(target))}
    plain = isinstance(node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
    deferred = any(isinstance(n, (ast.FunctionDef, ast.Lambda, ast.ClassDef)) for n in ast.walk(node))
    binds = stores if plain else set()
    return Piece(source, node, frozenset(reads), frozenset(binds), frozenset(changes | (stores - binds)), deferred)


def _changed(node: ast.stmt):
    """What a statement may change in place: the targets of stores, and the objects of calls that stand alone."""
    for n in ast.walk(node):
        if isinstance(n, (ast.Attribute, ast.Subscript)) and isinstance(n.ctx, ast.Store):
            yield n
        elif isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and isinstance(n.value.func, ast.Attribute):
            if n.value.func.attr not in ASKS | SETS_UP:
                yield n.value.func


def _base(node) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _calls(node) -> set[str]:
    return {n.func.attr for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}


def _checks(node: ast.stmt, labels: set[str]) -> bool:
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
        return False
    calls = _calls(node)
    if calls & {"measure", "demonstrate"} and not calls & {"prove", "argue", "refute", "trap"}:
        return False
    texts = list(_texts(node))
    words = {t.value for t in texts if isinstance(t, ast.Constant)}
    return any(_names(text, label, words) for text in texts for label in labels)


def _texts(node):
    """The strings of a statement, but for those that say what a check rests on."""
    if isinstance(node, ast.keyword) and node.arg in ELSEWHERE:
        return
    if isinstance(node, ast.JoinedStr) or isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _names(text, label: str, words: set[str]) -> bool:
    """Whether a string is the label, or an f-string becomes it with words of the same statement: f"eq-{kind}"."""
    if isinstance(text, ast.Constant):
        return text.value == label
    pattern = "".join(re.escape(v.value) if isinstance(v, ast.Constant) else "(.+)" for v in text.values)
    found = re.fullmatch(pattern, label)
    return found is not None and set(found.groups()) <= words
