"""Words of the field, and the marking of their first use in a text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup, escape
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.errors import BadInput

FILE = Path(__file__).with_name("glossary.toml")


class Term(BaseModel):
    """One word.

    Attributes:
        name: As it is listed.
        text: What it means, for somebody who does not build such systems.
        forms: Other ways in which it stands in sentences.
        see: Names of words that help to understand it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    text: str = Field(min_length=1)
    forms: tuple[str, ...] = ()
    see: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Where it stands in the glossary."""
        return f"word-{self.name.replace(' ', '-').lower()}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    term: tuple[Term, ...]


class Glossary:
    """All words; also remembers which of them a page has used, and where first."""

    def __init__(self, terms: tuple[Term, ...]) -> None:
        """Index words and forms.

        Raises:
            BadInput: Two words share a form, or one refers to a word that is not there.
        """
        self._by_form: dict[str, Term] = {}
        for term in terms:
            for form in (term.name, *term.forms):
                if form.lower() in self._by_form:
                    raise BadInput(f"the glossary explains {form!r} twice")
                self._by_form[form.lower()] = term
        self.terms = {term.name: term for term in terms}
        if unknown := sorted({name for term in terms for name in term.see} - set(self.terms)):
            raise BadInput(f"the glossary refers to words that it does not explain: {', '.join(unknown)}")
        forms = sorted(self._by_form, key=len, reverse=True)
        self._pattern = re.compile(r"(?<![\w`-])(" + "|".join(map(re.escape, forms)) + r")(?![\w`-])", re.IGNORECASE)
        self.first_used: dict[str, str] = {}

    @classmethod
    def load(cls, path: Path = FILE) -> Glossary:
        """Read a glossary.

        Raises:
            BadInput: It is missing, no TOML, or has a field that a word does not have.
        """
        try:
            return cls(_File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).term)
        except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise BadInput(f"the glossary {path} cannot be read: {error}") from error

    def __iter__(self) -> Iterator[Term]:
        """Words in the order of the alphabet."""
        return iter(sorted(self.terms.values(), key=lambda term: term.name.lower()))

    def section(self, anchor: str) -> Section:
        """Begin a section of a page."""
        return Section(self, anchor)

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """All places in a text where a word of the glossary stands."""
        return self._pattern.finditer(text)

    def of(self, form: str) -> Term:
        """The word that has this form."""
        return self._by_form[form.lower()]


class Section:
    """A part of a page: each word is linked once in it, and explained in it if it is its first use on the page."""

    def __init__(self, glossary: Glossary, anchor: str) -> None:
        """Begin."""
        self._glossary, self._anchor = glossary, anchor
        self._linked: set[str] = set()
        self.explained_here: list[Term] = []

    def mark(self, text: str) -> Markup:
        """Escape a text, with words of the glossary linked at their first use in the section."""
        parts, end = [], 0
        for match in self._glossary.find(text):
            term = self._glossary.of(match[0])
            if term.name in self._linked:
                continue
            self._linked.add(term.name)
            if self._glossary.first_used.setdefault(term.name, self._anchor) == self._anchor:
                self.explained_here.append(term)
            parts += [
                escape(text[end : match.start()]),
                Markup('<a class="word" href="#{}" title="{}">{}</a>').format(term.anchor, term.text, match[0]),
            ]
            end = match.end()
        return Markup("").join([*parts, escape(text[end:])])
