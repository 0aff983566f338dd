"""Writes dashboard.json, Grafana's: make_dashboard.py [--check]. Grafana is given the file as it is."""

import json
import pathlib
import sys

OUT = pathlib.Path(__file__).parent / "dashboard.json"
WHERE = 'instance=~"$instance"'
# title, unit, width of 24, kind, [(query, legend)]
PANELS = [
    ("Requests answered", "reqps", 8, "timeseries",
     [(f"sum by (kind) (rate(spillway_answers_total{{{WHERE}}}[$__rate_interval]))", "{{kind}}")]),
    ("Served, share of all", "percentunit", 4, "stat",
     [(f'sum(rate(spillway_answers_total{{{WHERE},kind="served"}}[$__rate_interval]))'
       f" / sum(rate(spillway_answers_total{{{WHERE}}}[$__rate_interval]))", "served")]),
    ("Rescued by a retry", "reqps", 4, "stat",
     [(f"sum(rate(spillway_rescued_requests_total{{{WHERE}}}[$__rate_interval]))", "rescued")]),
    ("Under way", "short", 8, "timeseries",
     [(f"sum(spillway_requests_in_flight{{{WHERE}}})", "requests"),
      (f"sum(spillway_connections{{{WHERE}}})", "connections")]),
    ("Attempts by backend", "reqps", 12, "timeseries",
     [(f"sum by (backend, outcome) (rate(spillway_attempts_total{{{WHERE}}}[$__rate_interval]))",
       "{{backend}} {{outcome}}")]),
    ("Backends that can be used", "short", 6, "timeseries",
     [(f"min by (backend) (spillway_backend_available{{{WHERE}}})", "{{backend}}")]),
    ("In flight by backend", "short", 6, "timeseries",
     [(f"sum by (backend) (spillway_backend_in_flight{{{WHERE}}})", "{{backend}}")]),
    ("Time to the first byte, 95th percentile", "s", 12, "timeseries",
     [(f"histogram_quantile(0.95, sum by (backend, le) (rate(spillway_first_byte_seconds_bucket{{{WHERE}}}"
       "[$__rate_interval])))", "{{backend}}")]),
    ("Whole request", "s", 12, "timeseries",
     [(f"histogram_quantile({q}, sum by (le) (rate(spillway_request_seconds_bucket{{{WHERE}}}[$__rate_interval])))",
       f"{q:.0%}") for q in (0.5, 0.95, 0.99)]),
    ("Tokens by client", "short", 12, "timeseries",
     [(f"sum by (client, kind) (rate(spillway_tokens_total{{{WHERE}}}[$__rate_interval])) * 60",
       "{{client}} {{kind}} a minute")]),
    ("Cost by client, a day", "currencyUSD", 6, "timeseries",
     [(f'sum by (name) (increase(spillway_cost_total{{{WHERE},kind="client"}}[1d]))', "{{name}}")]),
    ("Refused by a limit", "reqps", 6, "timeseries",
     [(f"sum by (kind, name) (rate(spillway_quota_refusals_total{{{WHERE}}}[$__rate_interval]))",
       "{{kind}} {{name}}")]),
]  # fmt: skip
SOURCE = {"type": "prometheus", "uid": "${source}"}


def panels():
    x = y = 0
    for number, (title, unit, width, kind, queries) in enumerate(PANELS, 1):
        if x + width > 24:
            x, y = 0, y + 8
        yield {
            "id": number, "type": kind, "title": title, "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": width, "h": 8},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "options": {},
            "targets": [
                {"refId": chr(65 + i), "expr": query, "legendFormat": legend, "datasource": SOURCE}
                for i, (query, legend) in enumerate(queries)
            ],
        }  # fmt: skip
        x += width


def dashboard():
    return {
        "uid": "spillway", "title": "Spillway", "tags": ["spillway"], "schemaVersion": 39, "editable": True,
        "timezone": "browser", "refresh": "10s", "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [
            {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"},
            {"name": "instance", "label": "Gateway", "type": "query", "datasource": SOURCE, "refresh": 2,
             "query": "label_values(spillway_requests_in_flight, instance)", "includeAll": True, "multi": True,
             "allValue": ".*"},
        ]},
        "panels": list(panels()),
    }  # fmt: skip


text = json.dumps(dashboard(), indent=2) + "\n"
if sys.argv[1:] == ["--check"]:
    if OUT.read_text() != text:
        sys.exit("dashboard.json is not what make_dashboard.py writes: run it")
else:
    OUT.write_text(text)
