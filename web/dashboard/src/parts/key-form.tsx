// The form for a new key, and for one that is changed.
import { formatDate } from "../../../shared/i18n";
import {
  budgetFields, changes, faultsOf, formFields, formOf, limitFields, lives, nameOf, newKey, tokenFields,
  type Faults, type FormField,
} from "../keys";
import { changeKey, close, form, gatewayTime, keys, makeKey } from "../keys-state";
import { config } from "../state";
import { t } from "../strings";
import type { Key } from "../types";
import { CallDialog } from "./call-dialog";
import { SelectField, TextField } from "./field";

const set = (field: FormField) => (value: string) => (form.value = { ...form.value, [field]: value });
const all: readonly FormField[] = [...formFields, "expires_at"];

/** What can be told without asking, in words. */
function wrongNow(): Faults {
  return Object.fromEntries(Object.entries(faultsOf(form.value)).map(([field, what]) => [field, t(what)]));
}

function Text(props: { field: FormField; faults: Faults; label: string; hint?: string; number?: boolean; known?: string[]; class?: string; required?: boolean }) {
  const { field, faults, ...rest } = props;
  return <TextField {...rest} id={`key-${field}`} value={form.value[field]} set={set(field)} fault={faults[field]} />;
}

function Expiry({ faults, of, first }: { faults: Faults; of?: Key; first: ("keep" | "never" | "now")[] }) {
  const options: [string, string][] = [...first, ...lives, "at" as const].map((life) => [
    life, t(`life_${life}`, { when: of?.expires ? formatDate(Date.parse(of.expires)) : t("never") }),
  ]);
  const chosen = form.value.expires;
  return (
    <>
      <SelectField id="key-expires" label={t("expires")} value={chosen} options={options} set={set("expires")}
        fault={chosen === "at" ? undefined : faults.expires} />
      {chosen === "at" && (
        <TextField id="key-expires_at" label={t("key_at")} type="datetime-local" value={form.value.expires_at}
          set={set("expires_at")} fault={faults.expires_at ?? faults.expires} />
      )}
    </>
  );
}

const named = (field: string) => t(`key_${field.replace("limits.", "").replace(".", "_")}` as "key_tokens_day");

function Limits({ faults }: { faults: Faults }) {
  const more = [...tokenFields, ...budgetFields, "limits.shadow" as const];
  const used = more.some((field) => form.value[field] !== "");
  return (
    <fieldset class="whole">
      <legend>{t("key_limits")}</legend>
      <p class="muted">{t("key_limits_hint")}</p>
      <div class="fields">
        {limitFields.map((f) => <Text key={f} field={f} faults={faults} label={named(f)} number />)}
      </div>
      <details open={used}>
        <summary>{t("key_periods")}</summary>
        <div class="fields">
          {tokenFields.map((f) => <Text key={f} field={f} faults={faults} label={named(f)} number />)}
          {budgetFields.map((f) => <Text key={f} field={f} faults={faults} label={named(f)} number />)}
          <p class="muted whole">{t("key_budget_hint")}</p>
          <label class="check whole">
            <input type="checkbox" checked={form.value["limits.shadow"] !== ""}
              onChange={(e) => set("limits.shadow")(e.currentTarget.checked ? "yes" : "")} />
            {t("key_shadow_label")}
          </label>
        </div>
      </details>
    </fieldset>
  );
}

/** Names that keys have, and `others`. */
function known(of: "client" | "team", others: string[]): string[] {
  const names = (keys.value ?? []).map((key) => key.settings[of]).filter((name) => name !== undefined);
  return [...new Set([...others, ...names])].filter(Boolean).sort().slice(0, 200);
}

export function KeyForm({ of }: { of?: Key }) {
  const configured = config.value?.clients ?? [];
  const call = async (): Promise<Faults | void> => {
    const wrong = wrongNow();
    if (Object.keys(wrong).length > 0) return wrong;
    if (of) await changeKey("edit", of, changes(formOf(of), form.value, gatewayTime()));
    else await makeKey(newKey(form.value, gatewayTime()));
  };
  return (
    <CallDialog title={of ? t("key_edit_name", { name: nameOf(of) }) : t("key_make")} wide
      verb={t(of ? "key_save" : "key_create")} fields={all} call={call} close={close}>
      {(faults) => (
        <div class="fields">
          {of ? (
            <div class="form-field">
              <span>{t("client")}</span>
              <b>{of.settings.client}</b>
              <p class="muted">{t("key_client_stays")}</p>
            </div>
          ) : (
            <Text field="client" faults={faults} label={t("client")} hint={t("key_client_hint")} required
              known={known("client", configured.map((c) => c.name))} />
          )}
          <Text field="team" faults={faults} label={t("team")} known={known("team", configured.map((c) => c.team))} />
          <Text field="name" faults={faults} label={t("key_name")} />
          <Text field="deployments" faults={faults} label={t("deployments")} hint={t("key_deployments_hint")} />
          <Limits faults={faults} />
          <Expiry faults={faults} of={of} first={of ? ["keep", "never"] : ["never"]} />
          <Text field="note" faults={faults} label={t("note")} class="whole" />
        </div>
      )}
    </CallDialog>
  );
}

/** When it is to end, alone. */
export function ExpiryForm({ of }: { of: Key }) {
  const call = async (): Promise<Faults | void> => {
    const wrong = wrongNow();
    delete wrong.client;
    if (Object.keys(wrong).length > 0) return wrong;
    await changeKey("expire", of, changes({ ...form.value, expires: "keep" }, form.value, gatewayTime()));
  };
  return (
    <CallDialog title={t("key_expire_name", { name: nameOf(of) })} verb={t("key_expire")} fields={all} call={call} close={close}>
      {(faults) => (
        <>
          <p>{t("key_expire_text")}</p>
          <div class="fields"><Expiry faults={faults} first={["now", "never"]} /></div>
        </>
      )}
    </CallDialog>
  );
}
