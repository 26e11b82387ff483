"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 80
BUCKETS = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "types", "constants", "shared"}
# three borders: events (the pool runs anybody's function, dispatch tells the person), tools, the gateway's top handler
BORDERS = {"worker/execution.py", "worker/dispatch.py", "tools/guard.py", "gateway/listener.py"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT / "src"))


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_is_a_noun_of_bearable_size(path: Path) -> None:
    text = path.read_text()

    assert path.stem not in BUCKETS
    assert len(text.splitlines()) <= LONGEST_MODULE
    for function in _functions(ast.parse(text)):
        assert (function.end_lineno or 0) - function.lineno < LONGEST_FUNCTION, function.name


def test_half_of_the_modules_are_small() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in MODULES if path.name != "__init__.py")

    assert lengths[len(lengths) // 2] <= 120


@pytest.mark.parametrize("package", ["athenaeum", "slacksim"])
def test_a_class_name_stands_for_one_thing(package: str) -> None:
    names = Counter(
        node.name
        for path in MODULES
        # a row of a table is named after the thing it stores, and always written `models.Thing`
        if _name(path).startswith(package) and path.parent.name != "models"
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_everything_is_caught_at_the_borders_only() -> None:
    catchers: set[str] = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            catches_all = isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
            )
            # cleaning up and raising on swallows nothing
            if catches_all and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
                catchers.add(_name(path).removeprefix("athenaeum/"))

    assert catchers <= BORDERS


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {
        _name(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }

    assert readers <= {"athenaeum/config.py", "athenaeum/database/embedded/owner.py"}
