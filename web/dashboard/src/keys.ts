// Keys made at run time: what is told of one, what a form holds of it, and what of that is asked for. Pure.
import type { Key, KeyLimits } from "./admin";

/** Shorter than this, and a key "expires soon". */
const soon = 7 * 24 * 3_600_000;

export const keyStates = ["active", "soon", "rotated", "expired", "revoked"] as const;
export type ShownState = (typeof keyStates)[number];

/** Until when an old secret is good beside the new one; nothing: the key is not being rotated. */
export function overlapEnd(key: Key, now: number): number | null {
  const ends = key.secrets.map((s) => (s.ends ? Date.parse(s.ends) : 0)).filter((end) => end > now);
  return ends.length > 0 ? Math.max(...ends) : null;
}

/** What it is now; a key that can be used may expire soon and be in rotation at once. */
export function statesOf(key: Key, now: number): ShownState[] {
  if (key.revoked) return ["revoked"];
  const expires = key.expires ? Date.parse(key.expires) : Infinity;
  if (expires <= now) return ["expired"];
  const states: ShownState[] = [];
  if (expires - now < soon) states.push("soon");
  if (overlapEnd(key, now) !== null) states.push("rotated");
  return states.length > 0 ? states : ["active"];
}

/** Whether a key in these states is among those that a filter names: all that can be used are active. */
export function isAmong(states: ShownState[], wanted: ShownState): boolean {
  if (wanted === "active") return !states.includes("expired") && !states.includes("revoked");
  return states.includes(wanted);
}

/** What it is called, for people. */
export function nameOf(key: Key): string {
  return key.settings.name || key.id;
}

export const periods = ["hour", "day", "week", "month"] as const;
const perMinute = ["tokens_per_minute", "requests_per_minute", "concurrency"] as const;

/** ["tokens_per_minute", 1000], ["tokens_day", 5] … */
export function limitsOf(limits: KeyLimits = {}): [name: string, limit: number][] {
  const all: [string, number | undefined][] = [
    ...perMinute.map((name): [string, number | undefined] => [name, limits[name]]),
    ...periods.map((p): [string, number | undefined] => [`tokens_${p}`, limits.tokens?.[p]]),
  ];
  return all.filter((one): one is [string, number] => one[1] !== undefined);
}
/** ["budget_month", 100] … */
export function budgetsOf(limits: KeyLimits = {}): [name: string, limit: number][] {
  return periods
    .map((p): [string, number | undefined] => [`budget_${p}`, limits.budget?.[p]])
    .filter((one): one is [string, number] => one[1] !== undefined);
}

/** The fields by the names that the admin plane has for them, so that its faults find theirs. */
export const limitFields = perMinute.map((name) => `limits.${name}` as const);
export const tokenFields = periods.map((p) => `limits.tokens.${p}` as const);
export const budgetFields = periods.map((p) => `limits.budget.${p}` as const);
export const textFields = ["client", "team", "name", "note"] as const;
const numberFields = [...limitFields, ...tokenFields, ...budgetFields];
export const formFields = [...textFields, "deployments", ...numberFields, "limits.shadow", "expires"] as const;
/** "expires_at": the day and time that "expires" may ask for. */
export type FormField = (typeof formFields)[number] | "expires_at";
export type Form = Record<FormField, string>;

/** "keep": as it is; "now"; "never"; "at": at `expires_at`; else so long from now. */
export const lives = ["1d", "7d", "30d", "90d", "365d"] as const;

export function emptyForm(): Form {
  const all = [...formFields, "expires_at"].map((name) => [name, ""]);
  return { ...(Object.fromEntries(all) as Form), expires: "never" };
}

export function formOf(key: Key): Form {
  const { client, team = "", name = "", note = "", deployments = [], limits = {} } = key.settings;
  const form = { ...emptyForm(), client, team, name, note, deployments: deployments.join(", "), expires: "keep" };
  const put = (field: FormField, value: number | undefined) => {
    if (value !== undefined) form[field] = String(value);
  };
  for (const name of perMinute) put(`limits.${name}`, limits[name]);
  for (const p of periods) {
    put(`limits.tokens.${p}`, limits.tokens?.[p]);
    put(`limits.budget.${p}`, limits.budget?.[p]);
  }
  form["limits.shadow"] = limits.shadow ? "yes" : "";
  return form;
}

/** "100,000" is 100000; what is no number is NaN. */
export function numberOf(text: string): number {
  const digits = text.replace(/[\s,_]/g, "");
  return /^\d+(\.\d+)?$/.test(digits) ? Number(digits) : NaN;
}

export type Faults = Partial<Record<string, string>>;

/** What can be told without asking the gateway, by field: a name among strings.ts's. */
export function faultsOf(form: Form): Partial<Record<FormField, "fault_needed" | "fault_number" | "fault_time">> {
  const faults: ReturnType<typeof faultsOf> = {};
  if (!form.client.trim()) faults.client = "fault_needed";
  for (const name of numberFields) if (form[name].trim() && Number.isNaN(numberOf(form[name]))) faults[name] = "fault_number";
  if (form.expires === "at" && Number.isNaN(Date.parse(form.expires_at))) faults.expires_at = "fault_time";
  return faults;
}

function utc(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

/** `now`: the gateway's, in milliseconds. */
export function expiryOf(form: Pick<Form, "expires" | "expires_at">, now: number): Record<string, string> {
  if (form.expires === "keep") return {};
  if (form.expires === "never") return { expires: "never" };
  if (form.expires === "now") return { expires: utc(now) };
  if (form.expires === "at") return { expires: utc(Date.parse(form.expires_at)) };
  return { expires_in: form.expires };
}

function numbersOf(form: Form, group: "tokens" | "budget"): Record<string, number> | undefined {
  const set = periods.filter((p) => form[`limits.${group}.${p}`].trim());
  if (set.length === 0) return undefined;
  return Object.fromEntries(set.map((p) => [p, numberOf(form[`limits.${group}.${p}`])]));
}

function limitsIn(form: Form): KeyLimits {
  const limits: KeyLimits = {};
  for (const name of perMinute) if (form[`limits.${name}`].trim()) limits[name] = numberOf(form[`limits.${name}`]);
  const tokens = numbersOf(form, "tokens");
  const budget = numbersOf(form, "budget");
  if (tokens) limits.tokens = tokens;
  if (budget) limits.budget = budget;
  if (form["limits.shadow"]) limits.shadow = true;
  return limits;
}

function deploymentsIn(form: Form): string[] {
  return form.deployments.split(/[\s,]+/).filter(Boolean);
}

export type Asked = Record<string, unknown>;

/** What to ask for a new key. */
export function newKey(form: Form, now: number): Asked {
  const asked: Asked = {};
  for (const name of textFields) if (form[name].trim()) asked[name] = form[name].trim();
  const deployments = deploymentsIn(form);
  const limits = limitsIn(form);
  if (deployments.length > 0) asked.deployments = deployments;
  if (Object.keys(limits).length > 0) asked.limits = limits;
  return { ...asked, ...expiryOf(form, now) };
}

/** What to ask so that a key that was as `before` says becomes as `after` does; null takes away. */
export function changes(before: Form, after: Form, now: number): Asked {
  const asked: Asked = {};
  for (const name of textFields)
    if (after[name].trim() !== before[name].trim()) asked[name] = after[name].trim() || null;
  const same = (of: (form: Form) => unknown) => JSON.stringify(of(before)) === JSON.stringify(of(after));
  if (!same(deploymentsIn)) asked.deployments = deploymentsIn(after).length > 0 ? deploymentsIn(after) : null;
  if (!same(limitsIn)) asked.limits = limitsIn(after);
  return { ...asked, ...expiryOf(after, now) };
}

/** The field of a form that a fault of the admin plane belongs to; empty: none. */
export function fieldOf(param: string, fields: readonly string[]): string {
  const name = param === "expires_in" ? "expires" : param.replace(/\[\d+\].*$/, "");
  return fields.find((f) => f === name) ?? "";
}

/** Keys to be taken over, and the line that each began on; or the line that cannot be read. */
export type Import = { keys: unknown[]; lines: number[] } | { wrong: number };

/** `{"keys": […]}`, a list, or an object on each line. */
export function readImport(text: string): Import {
  const whole = text.trim();
  if (/^\[|^\{\s*"keys"/.test(whole)) {
    try {
      const read = JSON.parse(whole) as unknown;
      const keys = Array.isArray(read) ? read : (read as { keys: unknown }).keys;
      return Array.isArray(keys) ? { keys: keys as unknown[], lines: [] } : { wrong: 1 };
    } catch {
      return { wrong: 1 };
    }
  }
  const keys: unknown[] = [];
  const lines: number[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    try {
      keys.push(JSON.parse(line));
      lines.push(at + 1);
    } catch {
      return { wrong: at + 1 };
    }
  }
  return { keys, lines };
}
