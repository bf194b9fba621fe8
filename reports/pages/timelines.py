"""Pictures of disruptive scenarios: what clients saw, by the machine that answered, round the moment of the fault.

Drawn by matplotlib, as SVG for the page itself: its colours are those of the page's style, so that it reads in light and dark.
matplotlib is imported when there is something to draw; a run without disruption does not pay for it.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from model.measurements import Measurement
from model.story import SentenceResult, Strike
from reports.recorded import RecordedScenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS_MAX = 400
"""Successes per machine that are drawn; of more, every n-th is. Failures are all drawn, up to `FAILURES_MAX`."""

FAILURES_MAX = 400
LONG_SECONDS = 0.4
"""An operation that took longer is drawn as a line, from its start to its end."""

WIDTH_INCHES, ROW_INCHES, FRAME_INCHES = 9.6, 0.34, 1.25
NOBODY = "nobody"
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


@dataclass(frozen=True)
class Mark:
    """One thing that a client did; moments in seconds of the epoch."""

    what: str
    who: str
    started: float
    ended: float | None
    outcome: str


@dataclass(frozen=True)
class Picture:
    """A timeline.

    Attributes:
        scenario: What it shows.
        svg: For the page.
        words: The same in words, for whoever cannot see it.
    """

    scenario: RecordedScenario
    svg: Markup
    words: str


def read_history(path: Path) -> list[Mark]:
    """Read what one client did.

    Args:
        path: `*.history.jsonl`, see `model.history.History.as_data`; lines that are damaged are left out.
    """
    marks = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                entry: dict[str, Any] = json.loads(line)
                at = datetime.fromisoformat(entry["at"]).timestamp()
                ended = None if entry["ended"] is None else at + float(entry["ended"]) - float(entry["started"])
                marks.append(Mark(str(entry["name"]), str(entry["who"]), at, ended, str(entry["outcome"])))
            except (ValueError, KeyError, TypeError):
                continue
    return marks


def is_wait(measurement: Measurement) -> bool:
    """Tell whether it is how long something took to come about after a fault (and not, say, the slowest of many)."""
    return measurement.unit == "s" and "fault" in measurement.labels and measurement.limit is not None and measurement.at > 0


def draw(scenario: RecordedScenario, folder: Path) -> Picture | None:
    """Draw a scenario.

    Args:
        scenario: With its faults.
        folder: Of the run.

    Returns:
        The picture; None when nothing was broken, or nothing was done while it was.
    """
    strikes = [strike for strike in scenario.faults if strike.injected is not None]
    if not strikes:
        return None
    marks = [mark for name in scenario.histories for mark in read_history(folder / name)]
    begun = [sentence for sentence in scenario.sentences if sentence.started is not None]
    if not marks and not begun:
        return None
    canvas = _Canvas(scenario, strikes, marks, begun)
    return Picture(scenario, canvas.svg(), in_words(scenario, strikes, marks))


def in_words(scenario: RecordedScenario, strikes: Sequence[Strike], marks: Sequence[Mark]) -> str:
    """Say what a picture shows."""
    zero = strikes[0].injected or 0.0
    told = []
    for strike in strikes:
        healed = "not healed" if strike.healed is None else f"healed at {strike.healed - zero:.1f} s"
        told.append(f"{strike.title} on {', '.join(strike.machines)} at {(strike.injected or zero) - zero:.1f} s, {healed}")
    told += [entry.sentence() for entry in scenario.measurements if is_wait(entry)]
    for what in dict.fromkeys(mark.what for mark in marks):
        those = [mark for mark in marks if mark.what == what]
        outcomes = {outcome: sum(mark.outcome == outcome for mark in those) for outcome in ("ok", "failed", "unknown")}
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items() if count)
        answered = ", ".join(f"{who} {sum(mark.who == who for mark in those)}" for who in sorted({mark.who for mark in those}) if who)
        told.append(f"{what}: {len(those)} ({counts})" + (f", answered by {answered}" if answered else ""))
    text = "; ".join(told) + "."
    return text[:1].upper() + text[1:]


class _Canvas:
    """One drawing. Seconds count from the first fault."""

    def __init__(
        self, scenario: RecordedScenario, strikes: Sequence[Strike], marks: Sequence[Mark], sentences: Sequence[SentenceResult]
    ) -> None:
        self.scenario, self.strikes, self.marks, self.sentences = scenario, strikes, marks, sentences
        self.zero = strikes[0].injected or 0.0
        if marks:
            names = sorted({_row(mark) for mark in marks}, key=lambda name: (name == NOBODY, name))
        else:
            names = [_short(str(sentence)) for sentence in sentences]
        self.rows = {name: len(names) - 1 - number for number, name in enumerate(names)}

    def svg(self) -> Markup:
        import matplotlib as mpl  # noqa: PLC0415 - only paid for when there is something to draw
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

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
            figure = Figure(figsize=(WIDTH_INCHES, FRAME_INCHES + ROW_INCHES * max(2, len(self.rows))), layout="constrained")
            FigureCanvasAgg(figure)
            axes = figure.add_subplot()
            self._frame(axes)
            self._bands(axes)
            if self.marks:
                self._points(axes)
            else:
                self._bars(axes)
            self._moments(axes)
            written = io.StringIO()
            figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return _for_page(written.getvalue())

    def _frame(self, axes: Axes) -> None:
        axes.set_yticks(list(self.rows.values()), list(self.rows))
        axes.set_ylim(-0.6, len(self.rows) - 0.4)
        axes.set_xlabel("seconds from the fault")
        axes.tick_params(length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="y", color=COLOURS["line"], linewidth=0.6)
        axes.set_axisbelow(True)

    def _bands(self, axes: Axes) -> None:
        recovered = [phase.started + phase.seconds for phase in self.scenario.phases if phase.name == "recovery"]
        end = max([self._end(), *recovered]) - self.zero
        for strike in self.strikes:
            begin = (strike.injected or self.zero) - self.zero
            until = end if strike.healed is None else strike.healed - self.zero
            axes.axvspan(begin, until, color=COLOURS["broken"], linewidth=0)
            _top(axes, begin, 0, f"{strike.title}: {', '.join(strike.machines)}", COLOURS["failed"])
            for moment in recovered:
                if strike.healed is not None:
                    axes.axvspan(until, max(until, moment - self.zero), color=COLOURS["mending"], linewidth=0)

    def _end(self) -> float:
        if self.marks:
            return max(mark.ended or mark.started for mark in self.marks)
        return max((sentence.started or 0.0) + sentence.seconds for sentence in self.sentences)

    def _points(self, axes: Axes) -> None:
        for number, name in enumerate(self.rows):
            here = [mark for mark in self.marks if _row(mark) == name]
            good = [mark for mark in here if mark.outcome == "ok"]
            step = -(-len(good) // POINTS_MAX) or 1
            colour = COLOURS[f"s{number % 6 + 1}"]
            _dots(axes, [mark.started - self.zero for mark in good[::step]], self.rows[name], colour)
            for mark in good[::step]:
                if mark.ended is not None and mark.ended - mark.started > LONG_SECONDS:
                    ends = [mark.started - self.zero, mark.ended - self.zero]
                    axes.plot(ends, [self.rows[name]] * 2, color=colour, linewidth=1.1)
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

    def _moments(self, axes: Axes) -> None:
        for number, entry in enumerate(entry for entry in self.scenario.measurements if is_wait(entry)):
            assert entry.limit is not None
            begun, happened = entry.at - entry.value - self.zero, entry.at - self.zero
            axes.axvline(happened, color=COLOURS["accent"], linewidth=1.4)
            _top(axes, happened, 1 + number % 2, f"{entry.name} {entry.value:.1f} s", COLOURS["accent"])
            threshold = begun + entry.limit.bound
            axes.axvline(threshold, color=COLOURS["soft"], linewidth=1.1, linestyle=(0, (4, 3)))
            _top(axes, threshold, 1 + number % 2, f"allowed: {entry.limit.bound:g} s", COLOURS["soft"])


def _row(mark: Mark) -> str:
    return mark.who or (mark.what if mark.outcome == "ok" else NOBODY)


def _short(text: str, length: int = 58) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _dots(axes: Axes, moments: Sequence[float], row: int, colour: str) -> None:
    """All dots as one path of segments without length and with round ends: a tenth of what single markers weigh."""
    if moments:
        gap = float("nan")
        axes.plot(
            [value for moment in moments for value in (moment, moment, gap)],
            [value for _ in moments for value in (row, row, gap)],
            color=colour,
            linewidth=4.6,
            solid_capstyle="round",
        )


def _top(axes: Axes, moment: float, line: int, text: str, colour: str) -> None:
    """Write above the picture, at a moment, on one of a few lines."""
    axes.annotate(
        text, (moment, 1), (2, 3 + 12 * line), xycoords=("data", "axes fraction"), textcoords="offset points", color=colour, fontsize=8
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
