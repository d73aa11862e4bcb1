"""The picture of the table: how far each row is from its limits, as an SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from benches.row import Measured, Row, met

PANELS = {"U": "times the floor loop U", "asyncio": "times asyncio"}
KEPT, MISSED, FREE = "#2a7f62", "#c8553d", "#7a8793"
COLOURS = {True: KEPT, False: MISSED, None: FREE}


def panel(axes: Axes, rows: Mapping[Row, Measured], peers: Mapping[str, Mapping[str, float]], label: str) -> None:
    """Draw one bar a row; its limits are strokes, the best peer a point."""
    for place, (row, measured) in enumerate(rows.items()):
        axes.barh(place, measured.value, color=COLOURS[met(measured.value, row.must)], height=0.62)
        for limit, style in ((row.must, "-"), (row.reach, ":")):
            if limit is not None:
                axes.plot([limit, limit], [place - 0.45, place + 0.45], color="black", linestyle=style, linewidth=1.4)
        best = min(peers.get(row.name, {}).items(), key=lambda item: item[1], default=None)
        if best:
            axes.plot(best[1], place, "D", color="#33415c", markersize=4)
            axes.annotate(best[0], (best[1], place), xytext=(6, -3), textcoords="offset points", fontsize=7)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"{label} (less is better; logarithmic)")
    axes.grid(axis="x", alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw(path: Path, measured: Mapping[Row, Measured], peers: Mapping[str, Mapping[str, float]], about: str) -> None:
    """Write the chart: one panel a unit."""
    mpl.rcParams.update({"svg.hashsalt": "segue", "font.size": 9, "svg.fonttype": "none"})
    panels = {unit: {row: it for row, it in measured.items() if row.unit == unit} for unit in PANELS}
    panels = {unit: rows for unit, rows in panels.items() if rows}
    if not panels:
        return
    heights = [len(rows) for rows in panels.values()]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8, 0.28 * sum(heights) + 1.1 * len(panels)), height_ratios=heights, squeeze=False
    )
    for one, (unit, rows) in zip(axes[:, 0], panels.items(), strict=True):
        panel(one, rows, peers, PANELS[unit])
    figure.suptitle("Green keeps its limit, red misses it. Stroke: must; dots: reach; diamond: best peer", fontsize=9)
    figure.text(0.99, 0.005, about, ha="right", fontsize=6, color=FREE)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
