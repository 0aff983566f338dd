// What was used over time, from the ledger: per client, user, team, deployment, model or backend.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { choice } from "../address";
import { api } from "../api";
import { whyOf } from "../faults";
import { short, t } from "../strings";
import type { UsageRow } from "../types";
import { Chart } from "./chart";
import { Choice } from "./choice";
import { Table, type Column } from "./table";

const ranges = {
  "15m": { bucket: "minute", ms: 15 * 60_000, refresh: 2_000 },
  "1h": { bucket: "minute", ms: 3_600_000, refresh: 5_000 },
  "24h": { bucket: "hour", ms: 24 * 3_600_000, refresh: 30_000 },
  "7d": { bucket: "hour", ms: 7 * 24 * 3_600_000, refresh: 60_000 },
  "30d": { bucket: "hour", ms: 30 * 24 * 3_600_000, refresh: 300_000 },
} as const;
type Range = keyof typeof ranges;
const rangeNames = Object.keys(ranges) as Range[];

const pers = {
  client: ["client"], user: ["user"], team: ["team"], deployment: ["deployment"], both: ["client", "deployment"],
  model: ["model"], backend: ["backend"],
} as const;
type Per = keyof typeof pers;
const perNames = Object.keys(pers) as Per[];

const metrics = {
  tokens: (r: UsageRow) => r.prompt_tokens + r.completion_tokens,
  cost: (r: UsageRow) => r.cost,
  requests: (r: UsageRow) => r.requests,
  failed: (r: UsageRow) => r.failed,
  latency: (r: UsageRow) => r.mean_ms,
  p50: (r: UsageRow) => r.p50_ms,
  p95: (r: UsageRow) => r.p95_ms,
  throttled: (r: UsageRow) => r.throttled,
  avoided: (r: UsageRow) => r.avoided,
  refused: (r: UsageRow) => r.refused,
  spilled: (r: UsageRow) => r.spilled,
};
type Metric = keyof typeof metrics;
const metricNames = Object.keys(metrics) as Metric[];
/** Of these there are no sums, nor one value for several groups. */
const times: readonly Metric[] = ["latency", "p50", "p95"];

const mostSeries = 7;
const range = choice<Range>("range", "15m", rangeNames);
const per = choice<Per>("per", "client", perNames);
const metric = choice<Metric>("metric", "tokens", metricNames);

interface Got {
  range: Range;
  per: Per;
  /** By time and group. */
  rows: UsageRow[];
  /** By group: percentiles of a span are not those of its parts. */
  totals: UsageRow[];
  at: number;
}
/** With what it was asked for, so that an answer that comes late is not taken for another. */
const got = signal<Got | null>(null);
const trouble = signal("");

async function read(): Promise<void> {
  const asked = { range: range.value, per: per.value };
  try {
    const { bucket } = ranges[asked.range];
    const by: string[] = [...pers[asked.per]];
    const ask = (groups: string[]) => api.usage({ from: asked.range, by: groups.join(","), percentiles: "true" });
    const [rows, totals] = await Promise.all([ask([bucket, ...by]), ask(by)]);
    if (asked.range === range.value && asked.per === per.value) got.value = { ...asked, rows, totals, at: Date.now() };
    trouble.value = "";
  } catch (error) {
    trouble.value = whyOf(error);
  }
}

function nameOf(row: UsageRow, by: Per): string {
  return pers[by].map((key) => row[key] || t("nobody")).join(" · ");
}

function Picture({ rows, totals, at }: Got) {
  const { bucket, ms } = ranges[range.value];
  const step = bucket === "minute" ? 60_000 : 3_600_000;
  const first = Math.floor((at - ms) / step) * step;
  const whens: number[] = [];
  for (let time = first; time <= at; time += step) whens.push(time);
  const of = metrics[metric.value];
  const isTime = times.includes(metric.value);
  const names = [...totals].sort((a, b) => (of(b) ?? 0) - (of(a) ?? 0)).map((r) => nameOf(r, per.value));
  const byName = new Map<string, Map<number, number | null>>();
  for (const row of rows) {
    const name = nameOf(row, per.value);
    let values = byName.get(name);
    if (!values) byName.set(name, (values = new Map<number, number | null>()));
    values.set(Date.parse((row.minute ?? row.hour)!), of(row));
  }
  const values = (name: string) => whens.map((w) => byName.get(name)?.get(w) ?? (isTime ? null : 0));
  const series = names.slice(0, mostSeries).map((name) => ({ name, values: values(name) }));
  const rest = names.slice(mostSeries).map(values);
  if (rest.length > 0 && !isTime)
    series.push({ name: t("others"), values: whens.map((_, i) => rest.reduce((sum, one) => sum + (one[i] ?? 0), 0)) });
  return (
    <Chart title={t(`m_${metric.value}`)} times={whens} series={series} bars={isTime ? 0 : step}
      days={ms > 24 * 3_600_000} />
  );
}

function columns(by: Per): Column<UsageRow>[] {
  const column = (id: string, label: string, value: (r: UsageRow) => number | null, digits?: number): Column<UsageRow> => ({
    id,
    label,
    number: true,
    value,
    show: (r) => (digits === undefined ? short(value(r)) : (value(r) ?? 0).toFixed(digits)),
  });
  return [
    { id: "group", label: t("group"), value: (r) => nameOf(r, by) },
    column("requests", t("m_requests"), (r) => r.requests),
    column("prompt", t("prompt"), (r) => r.prompt_tokens),
    column("completion", t("completion"), (r) => r.completion_tokens),
    column("cost", t("m_cost"), (r) => r.cost, 4),
    column("mean", t("m_latency"), (r) => r.mean_ms),
    column("p50", t("m_p50"), (r) => r.p50_ms),
    column("p95", t("m_p95"), (r) => r.p95_ms),
    column("throttled", t("m_throttled"), (r) => r.throttled),
    column("avoided", t("m_avoided"), (r) => r.avoided),
    column("refused", t("m_refused"), (r) => r.refused),
    column("failed", t("m_failed"), (r) => r.failed),
    column("spilled", t("m_spilled"), (r) => r.spilled),
  ];
}

function Totals({ totals }: { totals: UsageRow[] }) {
  return (
    <section aria-labelledby="totals-title">
      <h2 id="totals-title">{t("totals")}</h2>
      <Table id="usage-totals" label={t("totals")} rows={totals} columns={columns(per.value)} sort="-prompt"
        attributes={(r) => ({ key: nameOf(r, per.value), "data-group": nameOf(r, per.value) })} />
      <p class="muted">{t("cost_note")}</p>
    </section>
  );
}

export function UsageView() {
  const wanted = `${range.value} ${per.value}`;
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), ranges[range.value].refresh);
    return () => clearInterval(timer);
  }, [wanted]);
  const answer = got.value && got.value.range === range.value && got.value.per === per.value ? got.value : null;
  return (
    <>
      <h2 class="unseen">{t("usage")}</h2>
      <div class="row choices">
        <Choice id="range" label={t("range")} value={range.value} set={(v) => (range.value = v)}
          options={rangeNames.map((k) => [k, t(`range_${k}`)])} />
        <Choice id="per" label={t("per")} value={per.value} set={(v) => (per.value = v)}
          options={perNames.map((k) => [k, t(`per_${k}`)])} />
        <Choice id="metric" label={t("show")} value={metric.value} set={(v) => (metric.value = v)}
          options={metricNames.map((k) => [k, t(`m_${k}`)])} />
      </div>
      {trouble.value && <p class="trouble" role="alert">{trouble.value}</p>}
      {answer && answer.totals.length === 0 && <p class="muted">{t("no_usage")}</p>}
      {answer && answer.totals.length > 0 && (
        <>
          <div id="usage-chart"><Picture {...answer} /></div>
          <Totals totals={answer.totals} />
        </>
      )}
    </>
  );
}
