"""The ratios as a picture: CPU time for each request, nginx's as the line at 1."""

from html import escape

from report import Table

WIDTH, LEFT, RIGHT, ROW = 840, 300, 790, 18
COLOURS = {"spillway": "#1666b0", "other": "#6c5b7b", "haproxy": "#66a182", "spillway with ledger": "#7fb2e0"}


def svg(tables: list[Table]) -> str:
    rows = []
    for table in tables:
        names = [n for n in table.rounds if n in COLOURS]
        rows.append((table.title, [(n, table.ratio(n, "cpu_us")) for n in names]))
    most = max([2.0] + [r[2] for _, each in rows for _, r in each])
    at = lambda value: LEFT + value / most * (RIGHT - LEFT)  # noqa: E731
    height = 60 + sum(24 + ROW * len(each) for _, each in rows)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="12" y="22" font-size="15">CPU time of the gateway for a request, in units of nginx (lower is better)'
        "</text>",
    ]
    y = 44
    for title, each in rows:
        out.append(f'<text x="12" y="{y + 12}" font-weight="bold">{escape(title)}</text>')
        y += 22
        for name, (mid, low, high) in each:
            out.append(f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{escape(name)} {mid:.2f}</text>')
            out.append(
                f'<rect x="{LEFT}" y="{y + 2}" width="{at(mid) - LEFT:.1f}" height="11" fill="{COLOURS[name]}"/>'
            )
            out.append(
                f'<line x1="{at(low):.1f}" x2="{at(high):.1f}" y1="{y + 7.5}" y2="{y + 7.5}" stroke="#222222"/>'
            )
            y += ROW
        y += 2
    out.append(f'<line x1="{at(1):.1f}" x2="{at(1):.1f}" y1="40" y2="{y}" stroke="#d1495b" stroke-dasharray="4 3"/>')
    out.append(f'<text x="{at(1):.1f}" y="{y + 12}" text-anchor="middle" fill="#d1495b">nginx</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
