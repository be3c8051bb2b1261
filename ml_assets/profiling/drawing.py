"""Small pictures as SVG: a histogram, bars of values, a line of shares. Only drawing; all text is escaped."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from ml_assets.ml.validation.profiling.summaries import Bar

WIDTH, HEIGHT = 300, 92
_BASE, _ROW, _LABEL, _COUNT = HEIGHT - 16, 17, 108, 62


def histogram(bars: Sequence[Bar], *, times: bool, quantiles: Sequence[float] = ()) -> str:
    """Counts over a range; marks below stand at the quantiles.

    Args:
        bars: Bars of equal width, in order.
        times: Whether ends are seconds since 1970.
        quantiles: Values to mark, e.g. the median.
    """
    low, high, tallest = bars[0].low, bars[-1].high, max(bar.count for bar in bars) or 1
    width = WIDTH / len(bars)
    parts = []
    for place, bar in enumerate(bars):
        tall = max(_BASE * bar.count / tallest, 0.8 if bar.count else 0)
        tip = f"{_end(bar.low, times)} to {_end(bar.high, times)}: {bar.count:,}"
        parts.append(
            f'<rect x="{place * width + 0.5:.1f}" y="{_BASE - tall:.1f}" width="{max(width - 1, 0.8):.1f}" '
            f'height="{tall:.1f}" rx="1"><title>{escape(tip)}</title></rect>'
        )
    for value in quantiles:
        if low <= value <= high and high > low:
            x = WIDTH * (value - low) / (high - low)
            parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_BASE}"/>')
    parts.append(f'<text x="0" y="{HEIGHT - 3}">{escape(_end(low, times))}</text>')
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT - 3}" text-anchor="end">{escape(_end(high, times))}</text>')
    return _svg("".join(parts), HEIGHT)


def value_bars(bars: Sequence[Bar], total: int) -> str:
    """The most frequent values, each with its share of all values."""
    longest = max(bar.count for bar in bars) or 1
    room = WIDTH - _LABEL - _COUNT
    parts = []
    for place, bar in enumerate(bars):
        y, length = place * _ROW, max(room * bar.count / longest, 1)
        name = bar.label if len(bar.label) <= 17 else bar.label[:16] + "…"
        parts.append(
            f'<text x="{_LABEL - 6}" y="{y + 12}" text-anchor="end">{escape(name)}'
            f"<title>{escape(bar.label)}</title></text>"
            f'<rect x="{_LABEL}" y="{y + 2}" width="{length:.1f}" height="12" rx="2"/>'
            f'<text x="{_LABEL + length + 5:.1f}" y="{y + 12}">{100 * bar.count / max(total, 1):.1f} %</text>'
        )
    return _svg("".join(parts), len(bars) * _ROW + 2)


def sparkline(shares: Sequence[float], names: Sequence[str]) -> str:
    """Shares (0 to 1) part by part; the height is the greatest of them, or a hundredth."""
    wide, tall = 132.0, 26.0
    top = max([*shares, 0.01])
    step = wide / max(len(shares), 1)
    parts = [f'<line class="zero" x1="0" x2="{wide}" y1="{tall}" y2="{tall}"/>']
    for place, (share, name) in enumerate(zip(shares, names, strict=True)):
        high = tall * share / top
        parts.append(
            f'<rect x="{place * step:.2f}" y="{tall - high:.1f}" width="{max(step - 0.6, 0.6):.2f}" '
            f'height="{high:.1f}">'
            f"<title>{escape(name)}: {share:.2%}</title></rect>"
        )
    return f'<svg class="spark" viewBox="0 0 {wide:.0f} {tall + 1:.0f}" role="img">{"".join(parts)}</svg>'


def _svg(inner: str, height: float) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{inner}</svg>'


def _end(value: float, times: bool) -> str:
    if times:
        return datetime.fromtimestamp(value, tz=UTC).strftime("%Y-%m-%d %H:%M")
    if value and (abs(value) >= 1e7 or abs(value) < 1e-4):
        return f"{value:.3g}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))) - 1) if value else 0
    return f"{value:,.{min(digits, 6)}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"
