"""What is changed about a module, one thing at a time: operators of Cosmic Ray, those that change what a program decides."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

OPERATORS = tuple(
    f"core/{name}"
    for name in (
        *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
        *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt")),
        *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul")),
        *(f"ReplaceBinaryOperator_{pair}" for pair in ("BitOr_BitAnd", "BitAnd_BitOr")),
        *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not", "AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
        *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
        *("ExceptionReplacer", "ZeroIterationForLoop"),
    )
)
"""Not: a dozen replacements of each `+`, of which the first test to come by dies; decorators, which mypy watches."""

UNREADABLE = ""


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        operator: What changed it.
        occurrence: At which of its places.
        line: Where, in the original.
        was: The line before.
        becomes: The line after.
        source: All of it.
    """

    operator: str
    occurrence: int
    line: int
    was: str
    becomes: str
    source: str

    @property
    def name(self) -> str:
        """Tells it from all others of its module."""
        return f"{self.operator.removeprefix('core/')}:{self.occurrence}"


def mutants_of(path: Path) -> Iterator[Mutant]:
    """All mutants of a module that differ in what is done, not in annotations alone."""
    source = path.read_text(encoding="utf-8")
    lines, original = source.splitlines(), _deeds(source)
    for name in OPERATORS:
        operator = get_operator(name)()
        positions = [at for node in ast_nodes(get_ast(source)) for at in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(positions):
            try:
                mutated = mutate_code(source, operator, occurrence)
            except AttributeError:  # ExceptionReplacer knows no dotted names in tuples
                continue
            if mutated is None or _deeds(mutated) in {original, UNREADABLE}:
                continue
            line, becomes = _change(lines, mutated.splitlines(), start[0])
            if lines[line - 1].lstrip().startswith("@"):
                continue
            yield Mutant(name, occurrence, line, lines[line - 1].strip(), becomes, mutated)


def _change(was: list[str], now: list[str], fallback: int) -> tuple[int, str]:
    """The first line that differs, and what it is now."""
    for tag, start, _, new_start, new_end in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag != "equal":
            return start + 1, " ".join(line.strip() for line in now[new_start:new_end])
    return fallback, ""


def _deeds(source: str) -> str:
    """A module without what only types are told by."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return UNREADABLE  # `if not found := …`
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns, node.args = None, _without_kinds(node.args)
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


def _without_kinds(given: ast.arguments) -> ast.arguments:
    """Parameters, however they may be given: `*` for `/` changes no deed."""
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    defaults = [*given.defaults, *(each for each in given.kw_defaults if each is not None)]
    return ast.arguments([], every, given.vararg, [], [], given.kwarg, defaults)
