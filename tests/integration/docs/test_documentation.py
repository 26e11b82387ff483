"""What the documentation says of itself and of the house is so: links, paths, names, decisions, floors, code."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from athenaeum.domain.event import Event, NewEvent
from athenaeum.events import EventProcessor
from athenaeum.worker.pool import WorkerPool
from support.documentation import PAGES, ROOT, Page, spans

DOCS = ROOT / "docs"
LONGEST_PAGE = 119
_BASES = (ROOT, ROOT / "src" / "athenaeum", ROOT / "src")
_PATH = re.compile(
    r"^(?:\./)?(?:[\w.-]+/)*[\w-]+\.(?:py|md|toml|lock|yaml|j2)$|^(?:tests|docs|bench|src|examples)/[\w./-]+$"
)
_ELSEWHERE = {"my-company.yaml", "their-company.yaml", "report.pdf", "postgres.log"}
"""Files of the reader's own."""

every_page = pytest.mark.parametrize("page", [Page(path) for path in PAGES], ids=str)


@every_page
def test_links_lead_somewhere(page: Page) -> None:
    dead: list[str] = []
    for target in page.links:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.path.parent / path) if path else page.path
        exists = leads_to.exists() and leads_to.resolve().is_relative_to(ROOT)
        if not exists or (anchor and anchor not in Page(leads_to).anchors):
            dead.append(target)

    assert dead == []


@every_page
def test_files_that_are_named_exist(page: Page) -> None:
    words = [word for code in [*page.code, *page.blocks()] for word in code.split()]
    named = {word.removeprefix("./") for word in words if _PATH.match(word)} - _ELSEWHERE

    assert [name for name in sorted(named) if not any((base / name).exists() for base in _BASES)] == []


@every_page
def test_names_of_modules_and_their_contents_can_be_imported(page: Page) -> None:
    names = {name for code in [*page.code, *page.blocks()] for name in re.findall(r"\bathenaeum(?:\.\w+)+", code)}

    assert [name for name in sorted(names) if not _imports(name)] == []


@every_page
def test_a_page_begins_with_its_title_and_is_short(page: Page) -> None:
    assert page.tokens[0].tag == "h1"
    assert [token.tag for token in page.tokens].count("h1") == 2  # its opening and its end
    assert len(page.text.splitlines()) <= LONGEST_PAGE or page.path.name == "CHANGELOG.md"  # which grows


def test_every_page_can_be_found_from_the_index() -> None:
    known = {DOCS / "index.md"}
    waiting = list(known)
    while waiting:
        page = Page(waiting.pop())
        found = {(page.path.parent / link.partition("#")[0]).resolve() for link in page.links if ".md" in link} - known
        known |= found
        waiting += [path for path in found if path.suffix == ".md" and path.is_relative_to(DOCS)]

    lost = {path for path in DOCS.rglob("*.md") if path.parent.name != "decisions"} - known
    assert {str(path.relative_to(DOCS)) for path in lost} == set()


def test_decisions_are_numbered_and_say_why() -> None:
    pages = [Page(path) for path in sorted((DOCS / "decisions").glob("*.md"))]

    assert [int(page.path.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        assert page.text.startswith(f"# {number}. ")
        parts = re.findall(r"^\*\*(\w+)\.\*\* \S", page.text, re.MULTILINE)
        assert parts[:3] == ["Context", "Decision", "Consequences"], str(page)


def test_the_floors_are_the_packages_and_import_linters_layers() -> None:
    rows = Page(ROOT / "ARCHITECTURE.md").table("floor")
    told = [name for row in rows for name in spans(row[1])]
    house = ROOT / "src" / "athenaeum"
    built = {path.stem for path in house.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = [
        re.findall(r"athenaeum\.(\w+)", layer) for layer in settings["tool"]["importlinter"]["contracts"][0]["layers"]
    ]

    assert set(told) == built - {"__init__"}
    assert len(told) == len(set(told))
    for layer in layers:
        neighbours, told = set(told[: len(layer)]), told[len(layer) :]
        assert neighbours == set(layer)
    assert told == []


@pytest.mark.parametrize("page", [Page(path) for path in PAGES if Page(path).blocks("python")], ids=str)
def test_python_in_a_page_compiles_and_finds_its_imports(page: Page) -> None:
    for block in page.blocks("python"):
        compile(block, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert _missing(ast.parse(block)) == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.py")), ids=lambda path: path.name)
def test_an_example_finds_its_imports_and_is_run_by_a_test(path: Path) -> None:
    assert _missing(ast.parse(path.read_text(encoding="utf-8"))) == []
    assert any(f'"{path.name}"' in test.read_text(encoding="utf-8") for test in (ROOT / "tests").rglob("test_*.py"))


def test_the_page_of_the_queue_names_its_fields_parameters_and_methods() -> None:
    page = Page(DOCS / "reference" / "queue.md")
    parameters = list(inspect.signature(WorkerPool).parameters)

    assert _first(page, "field of `NewEvent`") == list(NewEvent.__dataclass_fields__)
    assert set(Event.__dataclass_fields__) <= set(page.code) | set(NewEvent.__dataclass_fields__)
    assert _first(page, "parameter") == parameters
    assert sorted(name.partition("(")[0] for name in _first(page, "method")) == sorted(
        name for name in vars(EventProcessor) if not name.startswith("_")
    )


def _first(page: Page, head: str) -> list[str]:
    return [name for row in page.table(head) for name in spans(row[0])]


def _imports(name: str) -> bool:
    module, *rest = name.split(".")
    found: object = importlib.import_module(module)
    for part in rest:
        module = f"{module}.{part}"
        if hasattr(found, part):
            found = getattr(found, part)
        elif importlib.util.find_spec(module):
            found = importlib.import_module(module)
        else:
            return False
    return True


def _missing(tree: ast.Module) -> list[str]:
    wanted: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            wanted += [f"{node.module}.{alias.name}" for alias in node.names if node.module != "__future__"]
        elif isinstance(node, ast.Import):
            wanted += [alias.name for alias in node.names]
    return [name for name in wanted if not _imports(name)]
