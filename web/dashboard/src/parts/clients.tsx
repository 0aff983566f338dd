// Who asks, how much, and how near each is to its limits.
import { useEffect, useMemo } from "preact/hooks";
import { choice } from "../address";
import { limitsOf, type Fill } from "../fill";
import { perSecond } from "../state";
import { short, t } from "../strings";
import type { Client, Frame } from "../types";
import { followUsers, moreUsers, users } from "../users";
import { Choice } from "./choice";
import { Table, type Column } from "./table";

const kinds = ["", "client", "user", "team"] as const;

function Limit({ client, fill }: { client: Client; fill: Fill }) {
  const label = t(`limit_${fill.name}`);
  return (
    <span class={`share${fill.share >= 1 ? " spent" : ""}`} data-limit={fill.name}>
      <meter min={0} max={1} high={0.75} value={Math.min(1, fill.share)} aria-label={`${client.name}: ${label}`} />
      <span>
        {short(fill.used)} / {short(fill.limit)} <span class="muted">{label}</span>
      </span>
    </span>
  );
}

function clientIn(frame: Frame, client: Client): Client | undefined {
  return frame.clients.find((c) => c.name === client.name && c.kind === client.kind);
}

/** Users of two clients may have one name. */
function nameOf(c: Client): string {
  return c.client ? `${c.name} (${c.client})` : c.name;
}

export function Clients({ clients: told }: { clients: Client[] }) {
  useEffect(followUsers, []);
  const clients = useMemo(() => [...told, ...users.value], [told, users.value]);
  const kind = choice("clients.kind", "", kinds);
  const rows = useMemo(() => clients.filter((c) => kind.value === "" || c.kind === kind.value), [clients, kind.value]);
  const refusedNow = new Map(rows.filter((c) => c.refused > 0).map((c) => [c, perSecond((f) => clientIn(f, c)?.refused) ?? 0]));
  const columns: Column<Client>[] = [
    { id: "name", label: t("client"), value: nameOf },
    { id: "kind", label: t("kind"), value: (c) => t(`kind_${c.kind}`) },
    { id: "in_flight", label: t("in_flight"), number: true, value: (c) => c.in_flight, show: (c) => short(c.in_flight) },
    {
      id: "used", label: t("last_minute"), number: true, value: (c) => c.tokens_last_minute,
      show: (c) => short(c.tokens_last_minute),
    },
    {
      id: "limits", label: t("limits"), value: (c) => limitsOf(c)[0]?.share ?? null,
      show: (c) => {
        const fills = limitsOf(c);
        return fills.length === 0 ? <span class="muted">–</span> : fills.map((f) => <Limit key={f.name} client={c} fill={f} />);
      },
    },
    {
      id: "refused", label: t("refused"), number: true, value: (c) => c.refused,
      show: (c) => (
        <>
          {short(c.refused)}
          {(refusedNow.get(c) ?? 0) > 0 && <b> ({t("per_second", { n: short(refusedNow.get(c)) })})</b>}
          {c.shadow_refused > 0 && <span class="muted"> {t("shadow_refused", { n: short(c.shadow_refused) })}</span>}
        </>
      ),
    },
  ];
  return (
    <section aria-labelledby="clients-title">
      <h2 id="clients-title">{t("clients")}</h2>
      {moreUsers.value && <p class="muted">{t("more_users", { n: users.value.length })}</p>}
      {clients.length === 0 ? (
        <p class="muted">{t("no_clients")}</p>
      ) : (
        <Table id="live-clients" label={t("clients")} rows={rows} columns={columns} sort="-used"
          attributes={(c) => ({ key: `${c.kind} ${nameOf(c)}`, "data-client": c.name, "data-kind": c.kind })}>
          <Choice id="clients-kind" label={t("kind")} value={kind.value} set={(v) => (kind.value = v)}
            options={kinds.map((k) => [k, k === "" ? t("all") : t(`kind_${k}`)])} />
        </Table>
      )}
    </section>
  );
}
