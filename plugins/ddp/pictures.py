"""When gradients were ready and buckets under way, as a chart of one backward pass."""

from __future__ import annotations

from kb import Report


def timeline(report: Report, events: list[tuple[str, int, float]], buckets: int, columns: int = 60) -> None:
    """Rows: gradients ready (how many at that moment), then each bucket from its launch to its arrival."""
    end = max(moment for _, _, moment in events) or 1.0

    def column(moment: float) -> int:
        return min(columns - 1, int(moment / end * columns))

    rows = [[0.0] * columns for _ in range(buckets + 1)]
    sent: dict[int, int] = {}
    for what, index, moment in events:
        if what == "ready":
            rows[0][column(moment)] += 1.0
        elif what == "sent":
            sent[index] = column(moment)
        elif what == "arrived":
            for place in range(sent[index], column(moment) + 1):
                rows[index + 1][place] = 1.0
    most = max(rows[0])
    rows[0] = [value / most for value in rows[0]]
    report.image(
        rows,
        title="Gradients ready, and buckets on their way",
        xlabel=f"time, 0 to {end:.1f} ms",
        ylabel="row 0: gradients; then buckets",
    )
