"""How a timeline is drawn: by matplotlib, as SVG for the page itself, in the colours of the page's style.

So it reads in light and in dark. This module is imported when there is something to draw: a run without disruption does not
pay for matplotlib.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from model.measurements import Measurement
from model.story import SentenceResult, Strike
from reports.pages.timelines import NOBODY, Mark, is_wait
from reports.recorded import RecordedScenario

POINTS_MAX = 400
"""Successes per machine that are drawn; of more, every n-th is. Failures are all drawn, up to `FAILURES_MAX`."""

FAILURES_MAX = 400
LONG_SECONDS = 0.4
"""An operation that took longer is drawn as a line, from its start to its end."""

WIDTH_INCHES, ROW_INCHES = 9.6, 0.34
LINE_INCHES, BOTTOM_INCHES, RIGHT_INCHES, SIGN_INCHES = 0.18, 0.5, 0.3, 0.068
"""Margins, and what a sign of a row's name takes: matplotlib's own search for margins costs as much as the drawing."""

COLOURS = {
    "ink": "#010101",
    "soft": "#020202",
    "line": "#030303",
    "failed": "#040404",
    "broken": "#050505",
    "mending": "#060606",
    "inconclusive": "#070707",
    "accent": "#080808",
    **{f"s{number}": f"#1{number}1{number}1{number}" for number in range(1, 7)},
}
"""Stand-ins that matplotlib draws with, each replaced by the variable of that name in the page's style."""


class Canvas:
    """One drawing. Seconds count from the first fault."""

    def __init__(
        self, scenario: RecordedScenario, strikes: Sequence[Strike], marks: Sequence[Mark], sentences: Sequence[SentenceResult]
    ) -> None:
        """Take what is to be drawn: operations of clients where there are some, else the sentences."""
        self.scenario, self.strikes, self.marks, self.sentences = scenario, strikes, marks, sentences
        self.zero = strikes[0].injected or 0.0
        if marks:
            names = sorted({mark.row for mark in marks}, key=lambda name: (name == NOBODY, name))
        else:
            names = [_short(str(sentence)) for sentence in sentences]
        self.rows = {name: len(names) - 1 - number for number, name in enumerate(names)}

    def svg(self) -> Markup:
        """The picture."""
        style: dict[Any, Any] = {
            "text.parse_math": False,
            "svg.fonttype": "none",
            "svg.hashsalt": self.scenario.nodeid,
            "path.simplify": False,
            "font.size": 9,
            "font.family": "DejaVu Sans",
            "axes.edgecolor": COLOURS["line"],
            "text.color": COLOURS["ink"],
            "axes.labelcolor": COLOURS["soft"],
            "xtick.color": COLOURS["soft"],
            "ytick.color": COLOURS["ink"],
        }
        with mpl.rc_context(style), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a sign that the font for measuring lacks; the browser has others
            waits = [entry for entry in self.scenario.measurements if is_wait(entry)]
            top = LINE_INCHES * (1.5 + min(2, len(waits)))
            height = top + BOTTOM_INCHES + ROW_INCHES * max(2, len(self.rows))
            left = 0.25 + SIGN_INCHES * max(map(len, self.rows))
            figure = Figure(figsize=(WIDTH_INCHES, height))
            FigureCanvasAgg(figure)
            width = WIDTH_INCHES - left - RIGHT_INCHES
            axes = figure.add_axes((left / WIDTH_INCHES, BOTTOM_INCHES / height, width / WIDTH_INCHES, 1 - (top + BOTTOM_INCHES) / height))
            self._frame(axes)
            self._bands(axes)
            if self.marks:
                self._points(axes)
            else:
                self._bars(axes)
            self._moments(axes, waits)
            written = io.StringIO()
            figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return _for_page(written.getvalue())

    def _frame(self, axes: Axes) -> None:
        axes.set_yticks(list(self.rows.values()), list(self.rows))
        axes.set_ylim(-0.6, len(self.rows) - 0.4)
        begin, end = self._span()
        axes.set_xlim(begin - 0.02 * (end - begin), end + 0.02 * (end - begin))
        axes.set_xlabel("seconds from the fault")
        axes.tick_params(length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="y", color=COLOURS["line"], linewidth=0.6)
        axes.set_axisbelow(True)

    def _span(self) -> tuple[float, float]:
        """From the first to the last thing that is drawn."""
        moments = [0.0, *(moment - self.zero for moment in self._recovered)]
        for mark in self.marks:
            moments += [mark.started - self.zero, (mark.ended or mark.started) - self.zero]
        for sentence in () if self.marks else self.sentences:
            begun = (sentence.started or self.zero) - self.zero
            moments += [begun, begun + sentence.seconds]
        for entry in self.scenario.measurements:
            if is_wait(entry) and entry.limit is not None:
                moments += [entry.at - self.zero, entry.at - entry.value + entry.limit.bound - self.zero]
        moments += [moment - self.zero for strike in self.strikes for moment in (strike.injected, strike.healed) if moment is not None]
        return min(moments), max(*moments, 1.0)

    @property
    def _recovered(self) -> list[float]:
        return [phase.started + phase.seconds for phase in self.scenario.phases if phase.name == "recovery"]

    def _bands(self, axes: Axes) -> None:
        for strike in self.strikes:
            begin = (strike.injected or self.zero) - self.zero
            until = self._span()[1] if strike.healed is None else strike.healed - self.zero
            axes.axvspan(begin, until, color=COLOURS["broken"], linewidth=0)
            _top(axes, begin, 0, f"{strike.title}: {', '.join(strike.machines)}", COLOURS["failed"])
            for moment in self._recovered if strike.healed is not None else ():
                axes.axvspan(until, max(until, moment - self.zero), color=COLOURS["mending"], linewidth=0)

    def _points(self, axes: Axes) -> None:
        for number, name in enumerate(self.rows):
            here = [mark for mark in self.marks if mark.row == name]
            good = [mark for mark in here if mark.outcome == "ok"]
            step = -(-len(good) // POINTS_MAX) or 1
            colour = COLOURS[f"s{number % 6 + 1}"]
            shown = good[::step]
            _dashes(axes, [(mark.started - self.zero,) * 2 for mark in shown], self.rows[name], colour, width=4.6)
            long = [(mark.started, mark.ended) for mark in shown if mark.ended is not None and mark.ended - mark.started > LONG_SECONDS]
            _dashes(axes, [(begin - self.zero, end - self.zero) for begin, end in long], self.rows[name], colour, width=1.1)
            for outcome, sign, colour_name in (("failed", "x", "failed"), ("unknown", "d", "inconclusive")):
                bad = [mark.started - self.zero for mark in here if mark.outcome == outcome][:FAILURES_MAX]
                if bad:
                    axes.plot(
                        bad,
                        [self.rows[name]] * len(bad),
                        linestyle="none",
                        marker=sign,
                        markersize=7,
                        markeredgewidth=1.8,
                        color=COLOURS[colour_name],
                        fillstyle="none",
                    )

    def _bars(self, axes: Axes) -> None:
        for sentence in self.sentences:
            begin = (sentence.started or self.zero) - self.zero
            colour = COLOURS["s1"] if sentence.status == "passed" else COLOURS["failed"]
            axes.barh(self.rows[_short(str(sentence))], max(sentence.seconds, 0.05), left=begin, height=0.42, color=colour, linewidth=0)

    def _moments(self, axes: Axes, waits: Sequence[Measurement]) -> None:
        for number, entry in enumerate(waits):
            happened = entry.at - self.zero
            axes.axvline(happened, color=COLOURS["accent"], linewidth=1.4)
            _top(axes, happened, 1 + number % 2, f"{entry.name} {entry.value:.1f} s", COLOURS["accent"])
            if entry.limit is not None:
                threshold = happened - entry.value + entry.limit.bound
                axes.axvline(threshold, color=COLOURS["soft"], linewidth=1.1, linestyle=(0, (4, 3)))
                axes.annotate(
                    f"allowed: {entry.limit.bound:g} s",
                    (threshold, 1),
                    (3, -3),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    rotation=90,
                    verticalalignment="top",
                    color=COLOURS["soft"],
                    fontsize=7.5,
                )


def _short(text: str, length: int = 58) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _dashes(axes: Axes, spans: Sequence[tuple[float, float]], row: int, colour: str, *, width: float) -> None:
    """All lines of a row as one path, with round ends: one without length is a dot, at a tenth of what a marker weighs."""
    if spans:
        gap = float("nan")
        axes.plot(
            [value for begin, end in spans for value in (begin, end, gap)],
            [value for _ in spans for value in (row, row, gap)],
            color=colour,
            linewidth=width,
            solid_capstyle="round",
        )


def _top(axes: Axes, moment: float, line: int, text: str, colour: str) -> None:
    """Write above the picture, at a moment, on one of a few lines; near the right edge to the left of the moment."""
    begin, end = axes.get_xlim()
    late = moment > begin + 0.72 * (end - begin)
    axes.annotate(
        text,
        (moment, 1),
        (-2 if late else 2, 3 + 13 * line),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        horizontalalignment="right" if late else "left",
        color=colour,
        fontsize=8,
    )


def _for_page(svg: str) -> Markup:
    """Make a drawing part of a page: no prologue, no fixed size, the page's colours, short numbers, no ids that could clash."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), svg)
    for name, stand_in in COLOURS.items():
        svg = svg.replace(stand_in, f"var(--{name})")
    svg = re.sub(r' width="[^"]*pt"| height="[^"]*pt"', "", svg.split(">", 1)[0]) + ">" + svg.split(">", 1)[1]
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    return Markup(svg)  # noqa: S704 - matplotlib escapes the texts that it draws
