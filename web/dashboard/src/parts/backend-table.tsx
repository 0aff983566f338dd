// Many backends: a row each.
import { useMemo } from "preact/hooks";
import { choice } from "../address";
import { fullest } from "../fill";
import { short, t } from "../strings";
import type { Backend } from "../types";
import { actionsColumn, StateBadge, stateText } from "./backend";
import { Choice } from "./choice";
import { Table, type Column } from "./table";

interface Row {
  backend: Backend;
  rate: number;
}

function Fill({ label, share }: { label: string; share: number | null }) {
  if (share === null) return <span class="muted">–</span>;
  return (
    <span class="share">
      <meter min={0} max={1} high={0.75} value={share} aria-label={label} />
      {Math.round(share * 100)}%
    </span>
  );
}

const count = (id: string, label: string, value: (b: Backend) => number): Column<Row> => ({
  id,
  label,
  number: true,
  value: (r) => value(r.backend),
  show: (r) => short(value(r.backend)),
});

export function BackendTable({ backends, rates }: { backends: Backend[]; rates: Map<string, number> }) {
  const state = choice<string>("backends.state", "");
  const names = [...new Set(backends.map(stateText))].sort();
  const rows = useMemo(
    () =>
      backends
        .filter((b) => state.value === "" || stateText(b) === state.value)
        .map((backend) => ({ backend, rate: rates.get(backend.name) ?? 0 })),
    [backends, rates, state.value],
  );
  const columns: Column<Row>[] = [
    { id: "name", label: t("name"), value: (r) => r.backend.name },
    { id: "state", label: t("state"), value: (r) => stateText(r.backend), show: (r) => <StateBadge backend={r.backend} /> },
    count("priority", t("class"), (b) => b.priority),
    { id: "rate", label: t("rate"), number: true, value: (r) => r.rate, show: (r) => short(r.rate) },
    count("in_flight", t("in_flight"), (b) => b.in_flight),
    {
      id: "tokens", label: t("fill_tokens"), number: true, value: (r) => fullest(r.backend, "tokens"),
      show: (r) => <Fill label={`${r.backend.name}: ${t("fill_tokens")}`} share={fullest(r.backend, "tokens")} />,
    },
    {
      id: "requests", label: t("fill_requests"), number: true, value: (r) => fullest(r.backend, "requests"),
      show: (r) => <Fill label={`${r.backend.name}: ${t("fill_requests")}`} share={fullest(r.backend, "requests")} />,
    },
    count("served", t("served"), (b) => b.served),
    count("spilled", t("spilled_here"), (b) => b.spilled),
    count("throttled", t("met_429"), (b) => b.throttled),
    count("avoided", t("avoided_429"), (b) => b.avoided),
    count("failed", t("failed"), (b) => b.failed),
    ...actionsColumn((r: Row) => r.backend),
  ];
  return (
    <Table id="backends" label={t("flow")} rows={rows} columns={columns} sort="name"
      attributes={(r) => ({ key: r.backend.name, "data-backend": r.backend.name })}>
      <Choice id="backends-state" label={t("state")} value={state.value} set={(v) => (state.value = v)}
        options={[["", t("all")], ...names.map((n) => [n, n] as [string, string])]} />
    </Table>
  );
}
