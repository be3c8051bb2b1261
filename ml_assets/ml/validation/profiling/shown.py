"""Numbers in notes, as a person writes them. Nothing is computed here."""

import math


def shown(value: float) -> str:
    """A number with at most four digits that tell something, thousands apart: `1,127`, `0.0312`, `-86`."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def percent(share: float) -> str:
    """A share as a percentage: `0 %`, `0.02 %`, `15.6 %`."""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.1f}".removesuffix(".0") + " %"
