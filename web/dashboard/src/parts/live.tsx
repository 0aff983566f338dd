// The live picture: totals, the cascade of backends, the last minutes, clients.
import { backendIn, frames, now, perSecond } from "../state";
import { short, t } from "../strings";
import type { Frame, Totals } from "../types";
import { Chart, type Series } from "./chart";
import { Clients } from "./clients";
import { Flow } from "./flow";

function answers(totals: Totals): number {
  return totals.served + totals.limited + totals.no_quota + totals.refused + totals.failed + totals.left;
}
function sum(f: Frame, of: "tokens" | "served" | "first_byte_ms_total"): number {
  return f.backends.reduce((total, b) => total + b[of], 0);
}

/** Mean of what came between the two. */
function meanFirstByte(name: string | null, to: Frame, from: Frame): number | null {
  const pick = (f: Frame, key: "served" | "first_byte_ms_total") =>
    name === null ? sum(f, key) : (backendIn(f, name)?.[key] ?? 0);
  const served = pick(to, "served") - pick(from, "served");
  const total = pick(to, "first_byte_ms_total") - pick(from, "first_byte_ms_total");
  return served > 0 && total >= 0 ? total / served : null;
}

function Tile({ id, label, value, more }: { id: string; label: string; value: string; more?: string }) {
  return (
    <div class="tile" data-tile={id}>
      <dt>{label}</dt>
      <dd>
        <span class="value">{value}</span>
        {more && <span class="muted">{more}</span>}
      </dd>
    </div>
  );
}

function Tiles({ frame }: { frame: Frame }) {
  const { totals } = frame;
  const rate = (of: (f: Frame) => number) => t("per_second", { n: short(perSecond(of) ?? 0) });
  const tokens = perSecond((f) => sum(f, "tokens"));
  const all = frames.value;
  const before = all[Math.max(0, all.length - 11)];
  const first = before ? meanFirstByte(null, frame, before) : null;
  return (
    <section aria-label={t("overview")}>
      <dl class="tiles">
        <Tile id="requests" label={t("requests_s")} value={short(perSecond((f) => answers(f.totals)) ?? 0)} />
        <Tile id="in_flight" label={t("in_flight")} value={short(totals.in_flight)} />
        <Tile id="tokens" label={t("tokens_min")} value={short(tokens === null ? 0 : tokens * 60)} />
        <Tile id="first_byte" label={t("first_byte")} value={first === null ? "–" : `${short(first)} ms`} />
        <Tile id="spilled" label={t("spill_overs")} value={short(totals.spilled)}
          more={rate((f) => f.totals.spilled)} />
        <Tile id="throttled" label={t("met_429")} value={short(totals.throttled)}
          more={rate((f) => f.totals.throttled)} />
        <Tile id="avoided" label={t("avoided_429")} value={short(totals.avoided)}
          more={rate((f) => f.totals.avoided)} />
        <Tile id="client_429" label={t("client_429")} value={short(totals.limited + totals.no_quota)}
          more={rate((f) => f.totals.limited + f.totals.no_quota)} />
        <Tile id="failed" label={t("failed")} value={short(totals.failed)} more={rate((f) => f.totals.failed)} />
      </dl>
    </section>
  );
}

/** Lines or areas of a chart; the rest of many is one. */
const mostSeries = 7;

function Charts() {
  const all = frames.value;
  const last = all[all.length - 1]!;
  const first = all[0]!;
  const times = all.slice(1).map((f) => Date.parse(f.time));
  const over = (name: string, of: (f: Frame) => number | undefined): Series => ({
    name,
    values: all.slice(1).map((f, i) => perSecond(of, f, all[i])),
  });
  type Count = "served" | "tokens";
  const ofBackend = (name: string, key: Count) => (f: Frame) => backendIn(f, name)?.[key];
  /** The backends that did most of it in these minutes. */
  const busiest = (key: Count): string[] => {
    const names = last.backends.map((b) => b.name);
    if (names.length <= mostSeries + 1) return names;
    const done = new Map(last.backends.map((b) => [b.name, b[key] - (backendIn(first, b.name)?.[key] ?? 0)]));
    return names.sort((a, b) => done.get(b)! - done.get(a)!).slice(0, mostSeries);
  };
  const stacked = (key: Count): Series[] => {
    const shown = busiest(key);
    const series = shown.map((n) => over(n, ofBackend(n, key)));
    if (shown.length === last.backends.length) return series;
    const rest = over(t("others"), (f) => sum(f, key));
    rest.values = rest.values.map((v, i) => v === null ? null : Math.max(0, v - series.reduce((s, one) => s + (one.values[i] ?? 0), 0)));
    return [...series, rest];
  };
  return (
    <section aria-labelledby="charts-title">
      <h2 id="charts-title">{t("last_minutes")}</h2>
      <div class="charts">
        <Chart title={t("chart_served")} times={times} stacked series={stacked("served")} />
        <Chart title={t("chart_429")} times={times}
          series={[
            over(t("met_429"), (f) => f.totals.throttled),
            over(t("avoided_429"), (f) => f.totals.avoided),
            over(t("client_429"), (f) => f.totals.limited + f.totals.no_quota),
            over(t("spill_overs"), (f) => f.totals.spilled),
          ]} />
        <Chart title={t("chart_tokens")} times={times} stacked series={stacked("tokens")} />
        <Chart title={t("chart_latency")} times={times}
          series={busiest("served").map((n) => ({
            name: n,
            values: all.slice(1).map((f, i) => meanFirstByte(n, f, all[i]!)),
          }))} />
      </div>
    </section>
  );
}

export function LiveView() {
  const frame = now.value;
  if (!frame) return <p class="muted">{t("starting")}</p>;
  return (
    <>
      <Tiles frame={frame} />
      <Flow />
      <Charts />
      <Clients clients={frame.clients} />
    </>
  );
}
