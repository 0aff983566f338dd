// What was used over time, from the ledger: per client, deployment or backend.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, ApiError } from "../api";
import { short, t } from "../strings";
import type { UsageRow } from "../types";
import { Chart } from "./chart";

const ranges = {
  "15m": { bucket: "minute", ms: 15 * 60_000, refresh: 2_000 },
  "1h": { bucket: "minute", ms: 3_600_000, refresh: 5_000 },
  "24h": { bucket: "hour", ms: 24 * 3_600_000, refresh: 30_000 },
  "7d": { bucket: "hour", ms: 7 * 24 * 3_600_000, refresh: 60_000 },
} as const;
type Range = keyof typeof ranges;

const pers = { client: ["client"], deployment: ["deployment"], both: ["client", "deployment"], backend: ["backend"] } as const;
type Per = keyof typeof pers;

const metrics = {
  tokens: (r: UsageRow) => r.prompt_tokens + r.completion_tokens,
  cost: (r: UsageRow) => r.cost,
  requests: (r: UsageRow) => r.requests,
  latency: (r: UsageRow) => r.mean_ms,
  throttled: (r: UsageRow) => r.throttled,
  avoided: (r: UsageRow) => r.avoided,
  refused: (r: UsageRow) => r.refused,
  spilled: (r: UsageRow) => r.spilled,
};
type Metric = keyof typeof metrics;

const most = 7;
const range = signal<Range>("15m");
const per = signal<Per>("client");
const metric = signal<Metric>("tokens");
/** With what they were asked for, so that an answer that comes late is not taken for another. */
const got = signal<{ range: Range; per: Per; rows: UsageRow[]; at: number } | null>(null);
const trouble = signal("");

async function read(): Promise<void> {
  const asked = { range: range.value, per: per.value };
  try {
    const { bucket } = ranges[asked.range];
    const rows = await api.usage(asked.range, [bucket, ...pers[asked.per]].join(","));
    if (asked.range === range.value && asked.per === per.value) got.value = { ...asked, rows, at: Date.now() };
    trouble.value = "";
  } catch (error) {
    trouble.value = error instanceof ApiError && error.code === "no_ledger" ? t("no_ledger") : (error as Error).message;
  }
}

function nameOf(row: UsageRow, by: Per): string {
  return pers[by].map((key) => row[key] || t("nobody")).join(" · ");
}

/** Rows of several times or groups as one; the mean is by requests. */
function together(rows: UsageRow[]): UsageRow {
  const out: UsageRow = {
    requests: 0, failed: 0, prompt_tokens: 0, completion_tokens: 0, cached_tokens: 0, refused: 0, throttled: 0,
    spilled: 0, avoided: 0, cost: 0, mean_ms: 0,
  };
  for (const row of rows) {
    const all = out.requests + row.requests;
    if (all > 0) out.mean_ms = (out.mean_ms * out.requests + row.mean_ms * row.requests) / all;
    for (const key of ["requests", "failed", "prompt_tokens", "completion_tokens", "cached_tokens", "refused",
      "throttled", "spilled", "avoided", "cost"] as const)
      out[key] += row[key];
  }
  return out;
}

function grouped(rows: UsageRow[], by: Per): [string, UsageRow[]][] {
  const groups = new Map<string, UsageRow[]>();
  for (const row of rows) {
    const name = nameOf(row, by);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  const size = (of: UsageRow[]) => metrics[metric.value](together(of));
  return [...groups].sort((a, b) => size(b[1]) - size(a[1]));
}

function Picture({ rows, at }: { rows: UsageRow[]; at: number }) {
  const { bucket, ms } = ranges[range.value];
  const step = bucket === "minute" ? 60_000 : 3_600_000;
  const first = Math.floor((at - ms) / step) * step;
  const times: number[] = [];
  for (let time = first; time <= at; time += step) times.push(time);
  const groups = grouped(rows, per.value);
  const shown = groups.slice(0, most);
  const rest = groups.slice(most).flatMap(([, of]) => of);
  if (rest.length > 0) shown.push([t("others"), rest]);
  const latency = metric.value === "latency";
  const series = shown.map(([name, of]) => {
    const byTime = new Map<number, UsageRow[]>();
    for (const row of of) {
      const time = Date.parse((row.minute ?? row.hour)!);
      byTime.set(time, [...(byTime.get(time) ?? []), row]);
    }
    return {
      name,
      values: times.map((time) => {
        const here = byTime.get(time);
        return here ? metrics[metric.value](together(here)) : latency ? null : 0;
      }),
    };
  });
  return <Chart title={t(`m_${metric.value}`)} times={times} series={series} bars={latency ? 0 : step} days={range.value === "7d"} />;
}

function Totals({ rows }: { rows: UsageRow[] }) {
  const columns: [string, (r: UsageRow) => string][] = [
    [t("m_requests"), (r) => short(r.requests)],
    [t("prompt"), (r) => short(r.prompt_tokens)],
    [t("completion"), (r) => short(r.completion_tokens)],
    [t("m_cost"), (r) => r.cost.toFixed(4)],
    [t("m_latency"), (r) => short(r.mean_ms)],
    [t("m_throttled"), (r) => short(r.throttled)],
    [t("m_avoided"), (r) => short(r.avoided)],
    [t("m_refused"), (r) => short(r.refused)],
    [t("m_spilled"), (r) => short(r.spilled)],
  ];
  return (
    <section aria-labelledby="totals-title">
      <h2 id="totals-title">{t("totals")}</h2>
      <div class="table" tabIndex={0} role="region" aria-labelledby="totals-title">
        <table id="usage-totals">
          <thead>
            <tr>
              <th scope="col">{t("group")}</th>
              {columns.map(([name]) => (
                <th scope="col" key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grouped(rows, per.value).map(([name, of]) => {
              const all = together(of);
              return (
                <tr key={name} data-group={name}>
                  <th scope="row">{name}</th>
                  {columns.map(([column, text]) => (
                    <td class="number" key={column}>{text(all)}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface ChoiceProps<T extends string> {
  id: string;
  label: string;
  value: T;
  options: [T, string][];
  set: (value: T) => void;
}
function Choice<T extends string>({ id, label, value, options, set }: ChoiceProps<T>) {
  return (
    <label class="choice" for={id}>
      {label}
      <select id={id} value={value} onChange={(e) => set(e.currentTarget.value as T)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>{text}</option>
        ))}
      </select>
    </label>
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
          options={(Object.keys(ranges) as Range[]).map((k) => [k, t(`range_${k}`)])} />
        <Choice id="per" label={t("per")} value={per.value} set={(v) => (per.value = v)}
          options={(Object.keys(pers) as Per[]).map((k) => [k, t(`per_${k}`)])} />
        <Choice id="metric" label={t("show")} value={metric.value} set={(v) => (metric.value = v)}
          options={(Object.keys(metrics) as Metric[]).map((k) => [k, t(`m_${k}`)])} />
      </div>
      {trouble.value && <p class="trouble" role="alert">{trouble.value}</p>}
      {answer && answer.rows.length === 0 && <p class="muted">{t("no_usage")}</p>}
      {answer && answer.rows.length > 0 && (
        <>
          <div id="usage-chart"><Picture rows={answer.rows} at={answer.at} /></div>
          <Totals rows={answer.rows} />
        </>
      )}
    </>
  );
}
