"""A real Prometheus scrapes the gateway under `spillway load`: each panel of the dashboard is answered, each alert too."""

import json
import re
import subprocess

import httpx
import pytest
import yaml

import machines
from machines import ROOT, harness

FOLDER = ROOT / "deploy/observability"
RULES = yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"][0]["rules"]
PANELS = [
    (panel["title"], target["expr"])
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    for target in panel.get("targets", [])
]
TOKEN = "the-token-of-who-scrapes"


class Prometheus:
    def __init__(self, folder, gateway):
        machines.need("prometheus")
        port = harness.free_ports(1)
        configuration = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        configuration["rule_files"] = [str(FOLDER / "rules.yaml")]
        configuration["scrape_configs"][0]["static_configs"] = [{"targets": [gateway.admin.removeprefix("http://")]}]
        (folder / "token").write_text(TOKEN)
        configuration["scrape_configs"][0]["authorization"]["credentials_file"] = str(folder / "token")
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def get(self, path, **parameters):
        return httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10)

    def values(self, expression):
        answer = self.get("query", query=expression)
        assert answer.status_code == 200, answer.text
        return [series["value"][1] for series in answer.json()["data"]["result"]]

    def up(self):
        try:
            return self.values('up{job="spillway"}') == ["1"]
        except (httpx.HTTPError, AssertionError):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """… of a gateway with a limited client and prices, after some seconds of load, one backend being full."""
    folder = tmp_path_factory.mktemp("observed")
    emulator = harness.Emulator(folder, capacity=10)
    gateway = harness.Gateway(
        folder,
        [harness.backend(f"r{i + 1}", url, priority=i + 1, tpm=10000, rpm=600) for i, url in enumerate(emulator.urls)],
        prices={harness.CHAT: {"prompt": 2.5, "completion": 10}},
        ledger={"path": str(folder / "usage.db")},
        admin={"token": TOKEN},
        clients=[
            {"name": "e2e", "key": harness.CLIENT_KEY},
            {"name": "small", "key": "a-small-clients-key", "limits": {"requests_per_minute": 1}},
        ],
    )
    one = Prometheus(folder, gateway)
    try:
        harness.wait_until(one.up, 30, every=0.3)
        one.gateway, one.emulator = gateway, emulator
        load = subprocess.Popen(
            [harness.SPILLWAY, "load", "--url", gateway.url, "--api-key", harness.CLIENT_KEY, "--rate", "6", "--duration", "12s",
             "--max-tokens", "200", "--no-fail"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        for _ in range(4):
            harness.post_chat(gateway.url, key="a-small-clients-key")
        output, _ = load.communicate(timeout=90)
        assert load.returncode == 0, output.decode()
        harness.post_chat(gateway.url, key="a-small-clients-key")
        yield one
    finally:
        one.stop()
        gateway.stop()
        emulator.stop()


@pytest.mark.parametrize(("title", "expression"), PANELS, ids=[f"{title}-{i}" for i, (title, _) in enumerate(PANELS)])
def test_panel(prometheus, title, expression):
    query = expression.replace("$__rate_interval", "30s").replace("$instance", ".*")
    found = harness.wait_until(lambda: prometheus.values(query), 10, every=0.5)
    assert any(value != "NaN" for value in found), f"{title}: {query} is {found}"


def test_instances_of_the_dashboard(prometheus):
    """What its variable $instance is filled with."""
    found = prometheus.get("series", **{"match[]": "spillway_requests_in_flight"}).json()["data"]
    assert [series["instance"] for series in found] == [prometheus.gateway.admin.removeprefix("http://")]


def test_rules_are_read_and_evaluated(prometheus):
    def rules():
        groups = prometheus.get("rules").json()["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if found and all(rule["health"] != "unknown" for rule in found) else None

    found = harness.wait_until(rules, 10, every=0.5)
    assert {rule["name"] for rule in found} == {rule["alert"] for rule in RULES}
    assert [rule["name"] for rule in found if rule["health"] != "ok"] == []


@pytest.mark.parametrize("rule", [one for one in RULES if one["alert"] != "SpillwayDown"], ids=lambda rule: rule["alert"])
def test_alert_knows_its_metrics(prometheus, rule):
    """Each metric that a rule names is there: a misspelt one would never fire."""
    for name in set(re.findall(r"\bspillway_\w+", rule["expr"])):
        assert prometheus.values(f"count({name})"), name


def test_an_alert_fires(prometheus):
    """All backends rest: what the rule says becomes true in the end, with its labels."""
    for resource in range(3):
        prometheus.emulator.fault(resource, "429", seconds=600, retry_after=60)
    for _ in range(4):
        harness.post_chat(prometheus.gateway.url)

    def pending():
        alerts = prometheus.get("alerts").json()["data"]["alerts"]
        return [alert for alert in alerts if alert["labels"]["alertname"] == "SpillwayNoBackend"]

    found = harness.wait_until(pending, 20, every=0.5)
    assert found[0]["labels"]["severity"] == "critical"
    assert found[0]["state"] in ("pending", "firing")
