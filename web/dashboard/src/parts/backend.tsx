// One backend: its state, its vessels, what flows into it, and what an operator can do.
import { useState } from "preact/hooks";
import { attempts, backendIn, change, may, perSecond } from "../state";
import { short, t } from "../strings";
import type { Backend } from "../types";
import { Sure } from "./sure";
import type { Column } from "./table";
import { Vessel } from "./vessel";

/** Drained: what was in flight is answered, and it may go. */
function drained(backend: Backend): boolean {
  return backend.state === "draining" && backend.in_flight === 0;
}
export function stateText(backend: Backend): string {
  return t(drained(backend) ? "state_drained" : `state_${backend.state}`);
}

export function StateBadge({ backend }: { backend: Backend }) {
  return (
    <span class={`badge ${backend.state}`} data-state={drained(backend) ? "drained" : backend.state}>
      {stateText(backend)}
      {backend.reason && backend.mode === "on" && ` (${backend.reason})`}
      {backend.seconds_left > 0 && (
        <span class="recovery"> · {t("back_in", { n: Math.ceil(backend.seconds_left) })}</span>
      )}
    </span>
  );
}

export function Actions({ backend }: { backend: Backend }) {
  const [asked, setAsked] = useState<"drain" | "disable" | null>(null);
  const { name, mode } = backend;
  if (!may("operator")) return null;
  const button = (verb: "drain" | "disable" | "enable", run: () => void) => (
    <button type="button" class="button small" aria-label={t(`${verb}_name`, { name })} onClick={run}>
      {t(verb)}
    </button>
  );
  return (
    <div class="row actions">
      {mode !== "draining" && mode !== "off" && button("drain", () => setAsked("drain"))}
      {mode !== "off" && button("disable", () => setAsked("disable"))}
      {mode !== "on" && button("enable", () => void change(name, "enable"))}
      {asked && (
        <Sure title={t(`${asked}_name`, { name })} text={t(`${asked}_sure`, { name })} verb={t(asked)}
          close={() => setAsked(null)} run={() => void change(name, asked)} />
      )}
    </div>
  );
}

/** The last column of a table of backends, for those who may. */
export function actionsColumn<Row>(backendOf: (row: Row) => Backend): Column<Row>[] {
  if (!may("operator")) return [];
  return [{
    id: "actions", label: t("actions"), plain: true, value: () => null, show: (r) => <Actions backend={backendOf(r)} />,
  }];
}

export function BackendCard({ backend }: { backend: Backend }) {
  const rate = perSecond((f) => attempts(backendIn(f, backend.name)));
  const numbers: [string, string, string][] = [
    ["in_flight", t("in_flight"), short(backend.in_flight)],
    ["served", t("served"), short(backend.served)],
    ["spilled", t("spilled_here"), short(backend.spilled)],
    ["throttled", t("met_429"), short(backend.throttled)],
    ["avoided", t("avoided_429"), short(backend.avoided)],
    ["failed", t("failed"), short(backend.failed)],
  ];
  return (
    <article class={`card backend ${backend.state}`} data-backend={backend.name} aria-label={backend.name}>
      <div class="row">
        <h3 class="grow">{backend.name}</h3>
        <span class={`rate${rate ? " flowing" : ""}`} data-rate={rate ?? 0}>
          {t("now_s", { n: short(rate ?? 0) })}
        </span>
      </div>
      <StateBadge backend={backend} />
      {backend.deployments.length === 0 && <p class="muted">{t("not_asked")}</p>}
      <div class="inside">
        {backend.deployments.map((d) => (
          <div class="deployment" key={d.name} data-deployment={d.name}>
            <h4>{d.name}</h4>
            <div class="vessels">
              <Vessel name={d.name} kind="tokens" limit={d.tpm} window={d.tokens_window_seconds}
                remaining={d.remaining_tokens} reset={d.tokens_reset_seconds} />
              <Vessel name={d.name} kind="requests" limit={d.rpm} window={d.requests_window_seconds}
                remaining={d.remaining_requests} reset={d.requests_reset_seconds} />
            </div>
          </div>
        ))}
        <dl class="numbers">
          {numbers.map(([key, label, value]) => (
            <div key={key} data-count={key}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
      <Actions backend={backend} />
    </article>
  );
}
