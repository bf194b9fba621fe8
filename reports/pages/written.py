"""Feature files as they are written: keywords, sentences with their placeholders, tables, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gherkin.parser import Parser

from model.scenario import Scenario


@dataclass(frozen=True)
class Step:
    """One sentence, with the table under it if there is one."""

    keyword: str
    text: str
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Examples:
    """The rows of an outline."""

    name: str
    tags: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Written:
    """A scenario as its author wrote it.

    Attributes:
        keyword: `Scenario` or `Scenario Outline`.
        title: With its placeholders.
        about: The text under its title.
        feature: Name of the feature.
        story: The text under the feature's name.
        file: Relative to the project.
        line: Of the title.
        background: Steps that stand before every scenario there.
        steps: Its own.
        examples: Of an outline.
        rows: What it becomes when it is run: one for a plain scenario, one per row for an outline.
    """

    keyword: str
    title: str
    about: str
    feature: str
    story: str
    file: str
    line: int
    background: tuple[Step, ...]
    steps: tuple[Step, ...]
    examples: tuple[Examples, ...]
    rows: tuple[Scenario, ...]

    @property
    def anchor(self) -> str:
        """Its place on a page; lines of files are unique."""
        return f"scenario-{Path(self.file).stem}-{self.line}".replace("_", "-")

    @property
    def checks(self) -> tuple[str, ...]:
        """Ids that it proves."""
        return tuple(dict.fromkeys(check for row in self.rows for check in row.checks))

    @property
    def tiers(self) -> tuple[str, ...]:
        """Tiers in which it, or some row of it, runs."""
        return tuple(dict.fromkeys(row.tier for row in self.rows))

    @property
    def disruptive(self) -> bool:
        """Whether it breaks something on purpose."""
        return any(row.disruptive for row in self.rows)

    @property
    def topologies(self) -> tuple[str, ...]:
        """Where alone it makes sense; empty for everywhere."""
        return tuple(sorted({name for row in self.rows for name in row.topologies}))


def as_written(scenarios: Sequence[Scenario]) -> list[Written]:
    """Find the text of scenarios in their files.

    Args:
        scenarios: As `read_features` gives them; those of files that nobody can read are left out.

    Returns:
        One entry per scenario of a file, an outline being one, in the order of the files.
    """
    by_place: dict[tuple[str, int], list[Scenario]] = {}
    for scenario in scenarios:
        by_place.setdefault((scenario.file, scenario.line), []).append(scenario)
    files = {scenario.file: scenario.path for scenario in scenarios if scenario.sentences}
    told = (written for file, path in files.items() for written in _in_file(path, file))
    return [replace(written, rows=tuple(by_place[written.file, written.line])) for written in told]


def _in_file(path: Path, file: str) -> Iterator[Written]:
    feature: Mapping[str, Any] = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
    yield from _members(feature["children"], feature, file, ())


def _members(children: Sequence[Mapping[str, Any]], feature: Mapping[str, Any], file: str, before: tuple[Step, ...]) -> Iterator[Written]:
    background = before
    for child in children:
        if "background" in child:
            background = before + _steps(child["background"])
        elif "rule" in child:
            yield from _members(child["rule"]["children"], feature, file, background)
        else:
            node = child["scenario"]
            yield Written(
                keyword=node["keyword"],
                title=node["name"],
                about=_paragraph(node),
                feature=feature["name"],
                story=_paragraph(feature),
                file=file,
                line=node["location"]["line"],
                background=background,
                steps=_steps(node),
                examples=tuple(_examples(each) for each in node["examples"]),
                rows=(),
            )


def _paragraph(node: Mapping[str, Any]) -> str:
    return " ".join(str(node.get("description") or "").split())


def _steps(node: Mapping[str, Any]) -> tuple[Step, ...]:
    return tuple(
        Step(step["keyword"].strip(), step["text"], tuple(_cells(row) for row in step.get("dataTable", {}).get("rows", ())))
        for step in node["steps"]
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(cell["value"] for cell in row["cells"])


def _examples(node: Mapping[str, Any]) -> Examples:
    header = _cells(node["tableHeader"]) if node.get("tableHeader") else ()
    rows = tuple(_cells(row) for row in node.get("tableBody", ()))
    return Examples(node["name"], tuple(tag["name"] for tag in node["tags"]), header, rows)
