// Keys made at run time: whose they are, what they may, and until when; made, changed, rotated and revoked here.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { formatDate, formatDay, formatNumber, language } from "../../../shared/i18n";
import { choice } from "../address";
import { budgetsOf, isAmong, keyStates, limitsOf, nameOf, overlapEnd, statesOf, type ShownState } from "../keys";
import { coarseTime, follow, keys, show, trouble } from "../keys-state";
import { config, may } from "../state";
import { t } from "../strings";
import type { Key } from "../types";
import { Choice } from "./choice";
import { KeyDialog } from "./key-dialogs";
import { Table, type Column } from "./table";

/** With more clients than this, they are found by words. */
const mostClients = 100;

interface Row {
  key: Key;
  states: ShownState[];
  overlap: number | null;
}

const date = (at: string | number) => formatDate(typeof at === "string" ? Date.parse(at) : at);
const stateText = (row: Row) => row.states.map((state) => t(`key_${state}`)).join(", ");

function State({ row }: { row: Row }) {
  return (
    <span class="lines">
      <span>
        {row.states.map((state) => (
          <span key={state} class={`badge key-${state}`} data-state={state}>{t(`key_${state}`)}</span>
        ))}
      </span>
      {row.overlap !== null && row.states.includes("rotated") && (
        <span class="muted">{t("key_overlap", { when: date(row.overlap) })}</span>
      )}
      {row.key.revoked && <span class="muted">{t("key_revoked_at", { when: date(row.key.revoked) })}</span>}
    </span>
  );
}

function limitTexts(all: [string, number][]): string[] {
  return all.map(([name, limit]) => `${formatNumber(limit)} ${t(`limit_${name}` as "limit_tokens_day")}`);
}
function Lines({ texts }: { texts: string[] }) {
  if (texts.length === 0) return <span class="muted">–</span>;
  return <span class="lines">{texts.map((text) => <span key={text}>{text}</span>)}</span>;
}

function Actions({ row: { key, states } }: { row: Row }) {
  if (states.includes("revoked")) return <span class="muted">–</span>;
  const button = (kind: "edit" | "rotate" | "expire" | "revoke") => (
    <button type="button" class={kind === "revoke" ? "button small danger" : "button small"}
      aria-label={t(`key_${kind}_name`, { name: nameOf(key) })} onClick={() => show({ kind, key })}>
      {t(`key_${kind}`)}
    </button>
  );
  return (
    <div class="row actions">
      {button("edit")}
      {!states.includes("expired") && button("rotate")}
      {button("expire")}
      {button("revoke")}
    </div>
  );
}

function columns(changing: boolean): Column<Row>[] {
  const text = (id: string, label: string, value: (key: Key) => string | undefined): Column<Row> => ({
    id, label, value: (r) => value(r.key) ?? null, show: (r) => value(r.key) ?? <span class="muted">–</span>,
  });
  const limits = (key: Key): string[] => [
    ...limitTexts(limitsOf(key.settings.limits)),
    ...(key.settings.limits?.shadow ? [t("key_shadow")] : []),
  ];
  const budgets = (key: Key) => limitTexts(budgetsOf(key.settings.limits));
  const lines = (id: string, label: string, of: (key: Key) => string[], none: ComponentChildren = null): Column<Row> => ({
    id, label, value: (r) => of(r.key).join(", ") || null,
    show: (r) => (of(r.key).length === 0 && none ? none : <Lines texts={of(r.key)} />),
  });
  return [
    text("name", t("key_name"), (key) => key.settings.name),
    text("client", t("client"), (key) => key.settings.client),
    text("team", t("team"), (key) => key.settings.team),
    { id: "id", label: t("key_id"), value: (r) => r.key.id, show: (r) => <code>{r.key.id}</code> },
    { id: "state", label: t("state"), value: stateText, show: (r) => <State row={r} /> },
    {
      id: "created", label: t("created"), value: (r) => r.key.made,
      show: (r) => <time dateTime={r.key.made} title={date(r.key.made)}>{formatDay(Date.parse(r.key.made))}</time>,
    },
    {
      id: "expires", label: t("expires"), value: (r) => r.key.expires,
      show: (r) => (r.key.expires ? date(r.key.expires) : <span class="muted">{t("never")}</span>),
    },
    lines("deployments", t("deployments"), (key) => key.settings.deployments ?? [], t("all")),
    lines("limits", t("key_limits"), limits),
    lines("budget", t("budget"), budgets),
    {
      id: "note", label: t("note"), value: (r) => r.key.settings.note ?? null,
      show: (r) => <span class="note">{r.key.settings.note ?? <span class="muted">–</span>}</span>,
    },
    ...(changing
      ? [{ id: "actions", label: t("actions"), plain: true, value: () => null, show: (r: Row) => <Actions row={r} /> }]
      : []),
  ];
}

function List({ all }: { all: Key[] }) {
  const state = choice<"" | ShownState>("key-list.state", "", ["", ...keyStates]);
  const client = choice<string>("key-list.client", "");
  const changing = may("admin");
  const now = coarseTime.value;
  const clients = useMemo(() => [...new Set(all.map((key) => key.settings.client))].sort(), [all]);
  const rows = useMemo(
    () =>
      all
        .map((key): Row => ({ key, states: statesOf(key, now), overlap: overlapEnd(key, now) }))
        .filter((row) => state.value === "" || isAmong(row.states, state.value))
        .filter((row) => client.value === "" || row.key.settings.client === client.value),
    [all, now, state.value, client.value],
  );
  const shown = useMemo(() => columns(changing), [changing, language.value]);
  const some = client.value !== "" || (clients.length > 1 && clients.length <= mostClients);
  return (
    <Table id="key-list" label={t("keys")} rows={rows} columns={shown} sort="-created" most={200}
      attributes={(r) => ({ key: r.key.id, "data-key": r.key.id, "data-name": r.key.settings.name ?? "" })}>
      <Choice id="key-list-state" label={t("state")} value={state.value} set={(v) => (state.value = v)}
        options={[["", t("all")], ...keyStates.map((s) => [s, t(`key_${s}`)] as ["" | ShownState, string])]} />
      {some && (
        <Choice id="key-list-client" label={t("client")} value={client.value} set={(v) => (client.value = v)}
          options={[["", t("all_clients")], ...[...new Set([...clients, client.value])].filter(Boolean).map((c) => [c, c] as [string, string])]} />
      )}
    </Table>
  );
}

export function KeysView() {
  useEffect(follow, []);
  const all = keys.value;
  const why = trouble.value;
  const noStore = why?.code === "no_store";
  const role = config.value?.role;
  return (
    <section aria-label={t("keys")}>
      <h2 class="unseen">{t("keys")}</h2>
      {noStore ? (
        <p class="trouble" role="alert">{why.message}</p>
      ) : (
        <>
          <p class="muted">
            {t("keys_text")} <a href="#config">{t("config")}</a>.
          </p>
          {why && <p class="trouble" role="alert">{why.message}</p>}
          {role && !may("admin") && <p class="muted">{t("keys_role", { role })}</p>}
          {may("admin") && (
            <div class="row choices">
              <button type="button" class="button primary" onClick={() => show({ kind: "make" })}>{t("key_make")}</button>
              <button type="button" class="button" onClick={() => show({ kind: "import" })}>{t("key_import")}</button>
            </div>
          )}
          {all?.length === 0 && <p class="muted">{t("no_keys")}</p>}
          {all && all.length > 0 && <List all={all} />}
        </>
      )}
      <KeyDialog />
    </section>
  );
}
