"""Reads scenarios from feature files, without running or importing anything.

The collector makes its items from this, and the process that computes the verdicts reads it again by itself, so that a
scenario which vanished on the way (deselected, its worker died) is still known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from gherkin.errors import CompositeParserException, ParserException
from gherkin.parser import Parser

from model.catalogue import Catalogue
from model.scenario import Kind, Scenario, Sentence
from model.tags import Tag, judge_tags, parse_tag

KINDS: dict[str, Kind] = {"Context": "given", "Action": "when", "Outcome": "then"}
SLUG_MAX = 120
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class _Place:
    """Where the reader is: what a scenario inherits from around it."""

    feature: str
    tags: tuple[Tag, ...]
    background: tuple[Mapping[str, Any], ...] = ()
    rule: str = ""
    defects: tuple[str, ...] = ()


class _Unreadable(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_feature(path: Path, root: Path, catalogue: Catalogue) -> list[Scenario]:
    """Read one feature file.

    Args:
        path: The file.
        root: The project's folder, from which node ids count.
        catalogue: What `@check:` tags may name.

    Returns:
        Its scenarios in order; for a file that is no Gherkin a single defective one.
    """
    file = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    try:
        scenarios = list(_scenarios(path, file, catalogue))
    except _Unreadable as error:
        defect = f"{file}:{error.line}: {error}"
        title = f"{file} cannot be read"
        return [Scenario(f"{file}::{UNREADABLE}", path, file, error.line, title, title, UNREADABLE, defects=(defect,))]
    titles = Counter(scenario.template for scenario in {(s.template, s.line): s for s in scenarios}.values())
    return [_with_duplicates(scenario, titles, scenarios) for scenario in scenarios]


def read_features(folder: Path, root: Path, catalogue: Catalogue) -> list[Scenario]:
    """Read all feature files below a folder, in the order in which pytest meets them."""
    return [scenario for path in sorted(folder.rglob("*.feature")) for scenario in read_feature(path, root, catalogue)]


def _with_duplicates(scenario: Scenario, titles: Counter[str], scenarios: list[Scenario]) -> Scenario:
    defects = list(scenario.defects)
    if titles[scenario.template] > 1:
        lines = sorted({other.line for other in scenarios if other.template == scenario.template})
        defects.append(f"{scenario.where}: the name {scenario.template!r} occurs on lines {', '.join(map(str, lines))}; only one would run")
    rows = [other for other in scenarios if (other.template, other.line) == (scenario.template, scenario.line)]
    if len({other.parameter for other in rows}) < len(rows):
        defects.append(f"{scenario.where}: two rows of its examples are the same")
    return replace(scenario, defects=tuple(defects))


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = dict(Parser().parse(path.read_text(encoding="utf-8")))
    except CompositeParserException as error:
        first = error.errors[0]
        raise _Unreadable(first.location["line"], re.sub(r"^\(\d+:\d+\): ", "", str(first))) from error
    except ParserException as error:
        raise _Unreadable(error.location["line"], re.sub(r"^\(\d+:\d+\): ", "", str(error))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _Unreadable(1, str(error)) from error
    if not document.get("feature"):
        raise _Unreadable(1, "there is no Feature in it")
    feature: Mapping[str, Any] = document["feature"]
    members = [member for child in feature["children"] for member in child.get("rule", {"children": [child]})["children"]]
    if not any("scenario" in member for member in members):
        raise _Unreadable(feature["location"]["line"], "there is no scenario in it")
    return feature


def _tags(node: Mapping[str, Any]) -> tuple[Tag, ...]:
    return tuple(parse_tag(tag["name"], tag["location"]["line"]) for tag in node["tags"])


def _scenarios(path: Path, file: str, catalogue: Catalogue) -> Iterator[Scenario]:
    feature = _document(path)
    place = _Place(feature["name"], _tags(feature))
    slugs: set[str] = {UNREADABLE}
    for child in feature["children"]:
        if "background" in child:
            place = replace(place, background=tuple(child["background"]["steps"]))
            _refuse_conjunction(child["background"])
        elif "scenario" in child:
            yield from _rows(child["scenario"], place, path, file, slugs, catalogue)
        else:
            inner = _rule(child["rule"], place, file, catalogue)
            for member in child["rule"]["children"]:
                if "background" in member:
                    _refuse_conjunction(member["background"])
                    inner = replace(inner, background=place.background + tuple(member["background"]["steps"]))
                else:
                    yield from _rows(member["scenario"], inner, path, file, slugs, catalogue)


def _rule(rule: Mapping[str, Any], place: _Place, file: str, catalogue: Catalogue) -> _Place:
    tags, defects = _tags(rule), list(place.defects)
    for tag in tags:
        if tag.kind == "check" and tag.value in catalogue and catalogue[tag.value].sentence != rule["name"]:
            wanted = catalogue[tag.value].sentence
            defects.append(
                f"{file}:{rule['location']['line']}: the rule of check {tag.value} must be named {wanted!r}, not {rule['name']!r}"
            )
    return replace(place, tags=place.tags + tags, rule=rule["name"], defects=tuple(defects))


def _refuse_conjunction(node: Mapping[str, Any]) -> None:
    """pytest-bdd refuses the whole file when the first step is an And or a star."""
    if node["steps"] and node["steps"][0]["keywordType"] not in KINDS:
        step = node["steps"][0]
        raise _Unreadable(step["location"]["line"], f"the first step must be a Given, When or Then, not {step['keyword'].strip()!r}")


def _rows(  # noqa: PLR0913, PLR0917 - the reader's place in the file
    node: Mapping[str, Any], place: _Place, path: Path, file: str, slugs: set[str], catalogue: Catalogue
) -> Iterator[Scenario]:
    _refuse_conjunction(node)
    line, title = node["location"]["line"], node["name"]
    base = re.sub(r"\W+", "_", title.lower()).strip("_")[:SLUG_MAX] or "unnamed"
    slug = next(name for name in (base if n == 1 else f"{base}_{n}" for n in count(1)) if name not in slugs)
    slugs.add(slug)
    tags = place.tags + _tags(node)
    steps = place.background + tuple(node["steps"])
    plain = Scenario(f"{file}::{slug}", path, file, line, title, title, slug, feature=place.feature, rule=place.rule)
    rows = [(examples, row) for examples in node["examples"] for row in examples.get("tableBody", ())]
    defects = list(place.defects)
    if node["examples"] and not rows:
        defects.append(f"{file}:{line}: this outline has no row of examples")
    if not node["examples"] and "Outline" in node["keyword"]:
        defects.append(f"{file}:{line}: this outline has no examples")
    if not rows:
        yield _filled(plain, steps, {}, tags, tuple(defects), catalogue)
    for examples, row in rows:
        cells = [cell["value"] for cell in row["cells"]]
        values = dict(zip((cell["value"] for cell in examples["tableHeader"]["cells"]), cells, strict=True))
        parameter = "-".join(cells).encode("unicode_escape").decode("ascii")
        at, told = row["location"]["line"], _title_of_row(title, values)
        named = replace(plain, nodeid=f"{plain.nodeid}[{parameter}]", title=told, parameter=parameter, row=at)
        foreign = [
            f"{file}:{tag.line}: @{tag.text} cannot stand on examples; tiers and @disruptive can"
            for tag in _tags(examples)
            if tag.kind not in {"tier", "disruptive"}
        ]
        yield _filled(named, steps, values, tags + _tags(examples), (*defects, *foreign), catalogue)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"<(.+?)>", lambda match: values.get(match[1], match[0]), text)


def _title_of_row(title: str, values: Mapping[str, str]) -> str:
    """The outline's name with the row's values in their places; those that have no place stand behind it."""
    left = [value for name, value in values.items() if f"<{name}>" not in title]
    return _fill(title, values) + (f" ({', '.join(left)})" if left else "")


def _filled(  # noqa: PLR0913, PLR0917 - all that a row adds to its outline
    scenario: Scenario,
    steps: tuple[Mapping[str, Any], ...],
    values: Mapping[str, str],
    tags: tuple[Tag, ...],
    defects: tuple[str, ...],
    catalogue: Catalogue,
) -> Scenario:
    sentences: list[Sentence] = []
    for step in steps:
        kind = KINDS.get(step["keywordType"]) or (sentences[-1].kind if sentences else "given")
        text = _fill(step["text"], values)
        sentences.append(Sentence(kind, step["keyword"].strip(), text, step["location"]["line"]))
    wrong = [*defects, *(f"{scenario.file}:{line or scenario.line}: {message}" for line, message in judge_tags(tags, catalogue))]
    if not any(sentence.kind == "then" for sentence in sentences):
        wrong.append(f"{scenario.where}: there is no Then, so nothing would be observed")
    checks = tuple(dict.fromkeys(tag.value for tag in tags if tag.kind == "check" and tag.value in catalogue))
    names = frozenset(tag.text for tag in tags)
    return replace(scenario, tags=names, checks=checks, sentences=tuple(sentences), defects=tuple(wrong))
