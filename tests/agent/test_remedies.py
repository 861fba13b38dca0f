"""No fault without what to do about it: every code in the source is looked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.remedies import REMEDIES, line_of, remedy

AGENT = Path(__file__).parents[2] / "agent"
RAISING = {"raise_", "set"}
ANY = "\0"
"""Stands for a part of a code that is known only when it is raised."""


def raised() -> Iterator[tuple[str, str]]:
    """Each code that the source gives to `Faults`, and where."""
    for path in sorted(AGENT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in RAISING
                and "faults" in ast.unparse(call.func.value).lower()
            ):
                where = f"{path.relative_to(AGENT)}:{call.lineno}"
                for code in codes(call.args[0], tree):
                    yield code, where


def codes(node: ast.expr, tree: ast.AST) -> list[str]:
    """What an expression may be, with `ANY` for what is not known here."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            found = [""]
            for part in parts:
                inner = part.value if isinstance(part, ast.FormattedValue) else part
                found = [start + end for start in found for end in codes(inner, tree)]
            return found
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [start + end for start in codes(left, tree) for end in codes(right, tree)]
        case ast.Call(func=ast.Name(id=name)):
            (function,) = (f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and f.name == name)
            returned = [r.value for r in ast.walk(function) if isinstance(r, ast.Return) and r.value]
            return [code for value in returned for code in codes(value, tree)]
        case ast.Name(id=name):
            return values_of(name, tree) or [ANY]
        case _:
            return [ANY]


def values_of(name: str, tree: ast.AST) -> list[str]:
    """Texts that a name stands for in its module: a constant, a loop over one, or an argument given literally."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                found += texts(value, tree)
            case ast.For(target=ast.Name(id=target), iter=source) if target == name:
                found += texts(source, tree)
            case ast.FunctionDef(args=arguments, name=function):
                places = [argument.arg for argument in arguments.args if argument.arg != "self"]
                if name in places:
                    found += given(function, places.index(name), tree)
    return found


def given(function: str, place: int, tree: ast.AST) -> list[str]:
    calls = [c for c in ast.walk(tree) if isinstance(c, ast.Call) and ast.unparse(c.func).endswith(function)]
    asked = [call.args[place] for call in calls if len(call.args) > place]
    return [arg.value for arg in asked if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def texts(node: ast.expr, tree: ast.AST) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.List(elts=elements):
            return [text for element in elements for text in texts(element, tree)]
        case ast.JoinedStr():
            return codes(node, tree)
        case ast.Name(id=name):
            return values_of(name, tree)
        case _:
            return []


FOUND = sorted(set(raised()))


def test_the_codes_are_found() -> None:
    known = {code for code, _ in FOUND}
    for expected in ("hot", "journal", "player", "not-heard", "screen-black", f"relay-{ANY}", f"speech:{ANY}",
                     f"feed-refused:{ANY}", f"feed-ended:{ANY}", f"alert-source:{ANY}", f"defect:{ANY}"):  # fmt: skip
        assert expected in known


@pytest.mark.parametrize(("code", "where"), FOUND, ids=[where for _, where in FOUND])
def test_every_code_that_the_node_can_raise_has_a_remedy(code: str, where: str) -> None:
    assert not code.startswith(ANY), f"{where}: the code is not known before it is raised; name its family"
    assert line_of(code.replace(ANY, "name")), f"{where}: no remedy for {code!r} in agent/remedies.py"


@pytest.mark.parametrize("known", REMEDIES)
def test_no_remedy_is_for_a_fault_that_nobody_raises(known: str) -> None:
    assert any(code == known or (known[-1] in ":-" and code.startswith(known)) for code, _ in FOUND)


def test_a_remedy_is_one_line_that_fits_on_two_rows_of_a_phone() -> None:
    for line in REMEDIES.values():
        assert "\n" not in line
        assert len(line) <= 112, line


def test_a_code_of_a_newer_agent_gets_a_general_word() -> None:
    assert line_of("flooded") is None
    assert "support-bundle" in remedy("flooded")
