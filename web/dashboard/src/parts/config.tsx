// The configuration with its secrets hidden; backends to be taken out of use; clients and their keys.
import { config, may, now } from "../state";
import { t } from "../strings";
import type { ConfigClient } from "../admin";
import type { Backend } from "../types";
import { actionsColumn, StateBadge, stateText } from "./backend";
import { Table, type Column } from "./table";

const backendColumns: () => Column<Backend>[] = () => [
  { id: "name", label: t("name"), value: (b) => b.name },
  { id: "state", label: t("state"), value: (b) => stateText(b), show: (b) => <StateBadge backend={b} /> },
  { id: "priority", label: t("class"), number: true, value: (b) => b.priority },
  { id: "weight", label: t("weight"), number: true, value: (b) => b.weight },
  { id: "url", label: t("url"), value: (b) => b.url },
  ...actionsColumn((b: Backend) => b),
];

function Backends() {
  return (
    <section aria-labelledby="backends-title">
      <h2 id="backends-title">{t("flow")}</h2>
      {may("operator") && <p class="muted">{t(config.value?.store ? "changes_kept" : "changes_hold")}</p>}
      <Table id="config-backends" label={t("flow")} rows={now.value?.backends ?? []} columns={backendColumns()} sort="priority"
        attributes={(b) => ({ key: b.name, "data-backend": b.name })} />
    </section>
  );
}

const keyColumns: () => Column<ConfigClient>[] = () => [
  { id: "name", label: t("client"), value: (c) => c.name },
  {
    id: "keys", label: t("key_digests"), value: (c) => c.keys.join(" "),
    show: (c) => (c.keys.length > 0 ? c.keys.map((k) => <code key={k}>{k}… </code>) : t("no_key")),
  },
  { id: "team", label: t("team"), value: (c) => c.team, show: (c) => c.team || "–" },
  { id: "priority", label: t("class"), value: (c) => c.priority },
  { id: "deployments", label: t("deployments"), value: (c) => c.deployments.join(", ") || t("all") },
];

function Keys() {
  const all = config.value!;
  return (
    <section aria-labelledby="keys-title">
      <h2 id="keys-title">{t("client_keys")}</h2>
      <p class="muted">{t(all.anonymous ? "anonymous" : "keys_note")}</p>
      {!all.anonymous && (
        <Table id="keys" label={t("client_keys")} rows={all.clients} columns={keyColumns()} sort="name"
          attributes={(c) => ({ key: c.name, "data-client": c.name })} />
      )}
    </section>
  );
}

export function ConfigView() {
  return (
    <>
      <Backends />
      {config.value && (
        <>
          <Keys />
          <section aria-labelledby="text-title">
            <h2 id="text-title">{t("config_text")}</h2>
            <p class="muted">{t("config_note")} {t("version", { v: config.value.version })}</p>
            <pre class="card" id="config-text" tabIndex={0} role="region" aria-labelledby="text-title">{config.value.text}</pre>
          </section>
        </>
      )}
    </>
  );
}
