"""Results as one HTML page: plain SVG, no script, nothing from elsewhere.

The charts are drawn here, since each is a few rectangles: a library would bring a script of some
hundred kilobytes. Every chart has its numbers as text, in a title and in the table.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from hooks_compile.bench import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.bench.results import HookResult, Results

_WIDTH: Final = 640
_LEFT: Final = 200
_LONGEST_LABEL: Final = 18
_ROW: Final = 26
# Okabe and Ito's colours, which people with any colour vision can tell apart.
_COLOURS: Final = (
    *("#7a7a7a", "#0072b2", "#e69f00", "#009e73"),
    *("#cc79a7", "#56b4e9", "#d55e00", "#8a8f00"),
)
_STYLE: Final = """
:root { color-scheme: light dark; --text: #1b1b1f; --back: #fff; --line: #c9c9d1; --soft: #55555f }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e8ee; --back: #17171b; --line: #45454f; --soft: #b0b0bc }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  max-width: 60rem; margin: 0 auto; padding: 1rem }
.chart { width: 100%; height: auto; max-width: 40rem; display: block }
svg text { fill: var(--text); font: 13px system-ui, sans-serif }
@media (max-width: 500px) { svg text { font-size: 20px } }
svg .axis { stroke: var(--line) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem }
th, td { white-space: nowrap; text-align: right;
  padding: .2rem .6rem; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
.soft { color: var(--soft) }
ul.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0 }
ul.legend svg { display: inline-block; width: .8rem; margin-right: .3rem }
section { break-inside: avoid-page; margin-top: 2rem }
@media print { :root { --text: #000; --back: #fff; --line: #999; --soft: #333 } }
"""


def render(results: Results) -> str:
    """Return the page for these results."""
    title = "Launches of hooks"
    names = list(dict.fromkeys(way.name for hook in results.hooks for way in hook.ways))
    hooks = "".join(_section(hook, names) for hook in results.hooks)
    left_out = "".join(
        f"<p>{escape(name)} was not measured: {escape(why)}</p>"
        for name, why in results.left_out.items()
    )
    about = escape(f"{results.python}, {results.machine}, {results.date}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f'<p class="soft">{about}. Each way to launch a hook was run in turn with its source; a '
        "ratio is the median of the rounds, with the interval that holds it at 95 %. Made by "
        f"hooks-compile bench.</p>\n{_overview(results, names)}{hooks}{left_out}</body></html>\n"
    )


def _overview(results: Results, names: Sequence[str]) -> str:
    bars = [
        (hook.hook, way.name, found.value)
        for hook in results.hooks
        for way in hook.ways[1:]
        if (found := hook.ratio(way)) is not None
    ]
    if not bars:
        return ""
    largest = max(1.0, *(value for *_, value in bars))
    shapes, last = [], ""
    for row, (hook, way, value) in enumerate(bars):
        end = _x(value / largest)
        text = f"{hook}, {way}: {value:.2f} of the source"
        shapes.append(_bar(row, _LEFT, end, _colour(names.index(way)), text))
        shapes.append(_text(row, 0, "" if hook == last else hook.rpartition("/")[2]))
        shapes.append(_text(row, end + 4, f"{value:.2f}"))
        last = hook
    title = "Time of each launch as a share of the source's, which is the line"
    chart = _svg(title, len(bars), _line(_x(1 / largest), len(bars)) + "".join(shapes))
    return f"<h2>Time as a share of the source's</h2>{_legend(names[1:], first=1)}{chart}"


def _section(hook: HookResult, names: Sequence[str]) -> str:
    refused = (f"{way} was not measured: {why}" for way, why in hook.refused.items())
    listed = "".join(f"<li>{escape(each)}</li>" for each in (*hook.notes, *refused, *hook.advice))
    noise = tables.interval(hook.noise)
    return (
        f"<section><h2>{escape(hook.hook)}</h2>"
        f'<p class="soft">{escape(hook.event)}; the source against itself: {noise}</p>'
        f"{_table(hook)}<h3>Distribution of the launches</h3>{_distribution(hook, names)}"
        f"{_parts(hook)}{f'<ul>{listed}</ul>' if listed else ''}</section>"
    )


def _table(hook: HookResult) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in tables.COLUMNS[1:])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells in tables.cells(hook)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _distribution(hook: HookResult, names: Sequence[str]) -> str:
    """Draw a row for each way: every launch is a faint line, the median a strong one."""
    longest = max(way.p90 for way in hook.ways) * 1.2
    shapes = []
    for row, way in enumerate(hook.ways):
        colour = _colour(names.index(way.name))
        shown = [value for value in way.wall if value < longest]
        marks = [_mark(row, _x(value / longest), colour, 0.4) for value in shown]
        marks.append(_mark(row, _x(way.median / longest), colour, 1.0))
        median, p90 = map(tables.milliseconds, (way.median, way.p90))
        text = escape(f"{way.name}: median {median}, nine of ten within {p90}")
        shapes.append(f"<g><title>{text}</title>{''.join(marks)}</g>{_text(row, 0, way.name)}")
    rows = len(hook.ways)
    ends = _text(rows, _LEFT, "0 ms") + _text(rows, _WIDTH - 110, tables.milliseconds(longest))
    return _svg(f"Times of the launches of {hook.hook}", rows + 1, "".join(shapes) + ends)


def _parts(hook: HookResult) -> str:
    """Draw one bar of all parts of a launch, with the legend that holds their times."""
    total = sum(seconds for _, seconds in hook.parts)
    if not total:
        return ""
    shapes, start = [], 0.0
    for number, (name, seconds) in enumerate(hook.parts):
        end = start + seconds / total * _WIDTH
        text = f"{name}: {tables.milliseconds(seconds)}, {seconds / total:.0%}"
        shapes.append(_bar(0, start, end, _colour(number), text))
        start = end
    legend = _legend([f"{name} {tables.milliseconds(seconds)}" for name, seconds in hook.parts])
    chart = _svg(f"Parts of a launch of {hook.hook}", 1, "".join(shapes))
    imports = escape(tables.parts(hook.imports[: tables.DEAREST]))
    dearest = f"<p>The imports that take longest: {imports}</p>" if imports else ""
    return f"<h3>Where a launch of the source goes</h3>{chart}{legend}{dearest}"


def _legend(names: Sequence[str], first: int = 0) -> str:
    """Return the names with their colours; ``first`` is the number of the first colour."""
    items = (
        f'<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" '
        f'fill="{_colour(number)}"/></svg>{escape(name)}</li>'
        for number, name in enumerate(names, first)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _svg(title: str, rows: int, shapes: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {rows * _ROW}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{shapes}</svg>'
    )


def _bar(row: int, start: float, end: float, colour: str, text: str) -> str:
    return (
        f'<rect x="{start:.1f}" y="{row * _ROW + 4}" width="{end - start:.1f}" '
        f'height="{_ROW - 8}" fill="{colour}"><title>{escape(text)}</title></rect>'
    )


def _mark(row: int, x: float, colour: str, opacity: float) -> str:
    width = 1.5 if opacity < 1 else 4
    return (
        f'<rect x="{x - width / 2:.1f}" y="{row * _ROW + 3}" width="{width}" '
        f'height="{_ROW - 6}" fill="{colour}" fill-opacity="{opacity}"/>'
    )


def _line(x: float, rows: int) -> str:
    return f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{rows * _ROW}"/>'


def _text(row: int, x: float, text: str) -> str:
    shown = (
        text
        if len(text) <= _LONGEST_LABEL
        else f"{text[: _LONGEST_LABEL - 1]}\N{HORIZONTAL ELLIPSIS}"
    )
    return f'<text x="{x:.1f}" y="{row * _ROW + 17}">{escape(shown)}</text>'


def _x(share: float) -> float:
    """Return where a share of the longest value ends; there is room for a number behind it."""
    return _LEFT + share * (_WIDTH - _LEFT - 60)


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
