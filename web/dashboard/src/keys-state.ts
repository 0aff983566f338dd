// The keys as the admin plane tells them, what is open about them, and the calls that change them.
import { computed, effect, signal } from "@preact/signals";
import { api, ApiError } from "./api";
import { faultOf, whyOf } from "./faults";
import { emptyForm, fieldOf, formOf, nameOf, type Asked, type Faults, type Form } from "./keys";
import { announcement, now, phase, readConfig } from "./state";
import { t } from "./strings";
import type { Key } from "./types";

export const keys = signal<Key[] | null>(null);
/** Why they are not there; its code and its words. */
export const trouble = signal<{ code: string; message: string } | null>(null);

/** What is open. What is typed is kept with it, so that it outlives a log-in. */
export type Open =
  | { kind: "make" }
  | { kind: "import" }
  | { kind: "edit" | "expire" | "rotate" | "revoke"; key: Key };
export const open = signal<Open | null>(null);
export const form = signal<Form>(emptyForm());
export const overlap = signal("24h");
export const importing = signal<{ text: string; file: string }>({ text: "", file: "" });

/** A secret that was just made: in this variable alone, until it is closed. */
export const fresh = signal<{ name: string; secret: string; back: HTMLElement | null } | null>(null);
let opener: HTMLElement | null = null;

/** The gateway's time, in milliseconds. */
export function gatewayTime(): number {
  return now.value ? Date.parse(now.value.time) : Date.now();
}
/** The same, as often as it is worth to look at all keys again. */
export const coarseTime = computed(() => {
  const step = (keys.value?.length ?? 0) > 500 ? 30_000 : 1_000;
  return Math.floor(gatewayTime() / step) * step;
});

let text = ""; // as they were last told
let changed = 0; // how often they were changed from here

async function read(): Promise<void> {
  const before = changed;
  try {
    const told = await api.keys();
    if (before !== changed) return await read(); // it may be from before the change
    if (told !== text) keys.value = (JSON.parse(told) as { keys: Key[] }).keys;
    text = told;
    trouble.value = null;
  } catch (error) {
    trouble.value = error instanceof ApiError
      ? { code: error.code, message: whyOf(error) }
      : { code: "unreachable", message: t("unreachable") };
  }
}

/** Reads them again and again, the more rarely the longer it takes; returns what ends that. */
export function follow(): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = async (): Promise<void> => {
    const began = performance.now();
    if (!document.hidden) await read();
    const took = performance.now() - began;
    if (!over) timer = setTimeout(() => void again(), Math.max(5_000, 20 * took));
  };
  void again();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

effect(() => {
  if (phase.value !== "login") return;
  keys.value = null;
  trouble.value = null;
  text = "";
});

export function show(what: Open): void {
  opener = document.activeElement as HTMLElement | null;
  form.value = what.kind === "edit" ? formOf(what.key) : { ...emptyForm(), expires: what.kind === "expire" ? "now" : "never" };
  overlap.value = "24h";
  importing.value = { text: "", file: "" };
  open.value = what;
}
export function close(): void {
  open.value = null;
  form.value = emptyForm();
  importing.value = { text: "", file: "" };
}

type Did = "make" | "edit" | "expire" | "rotate" | "revoke";

function take(did: Did, key: Key): void {
  const { key: secret, ...told } = key;
  changed += 1;
  text = "";
  const others = keys.value ?? [];
  keys.value = others.some((k) => k.id === key.id) ? others.map((k) => (k.id === key.id ? told : k)) : [...others, told];
  if (secret) fresh.value = { name: nameOf(told), secret, back: opener };
  announcement.value = t(`key_did_${did}`, { name: nameOf(told) });
}

export async function makeKey(asked: Asked): Promise<void> {
  take("make", await api.makeKey(asked));
}
export async function changeKey(did: "edit" | "expire", key: Key, asked: Asked): Promise<void> {
  if (Object.keys(asked).length > 0) take(did, await api.changeKey(key.id, asked));
}
export async function rotateKey(key: Key): Promise<void> {
  take("rotate", await api.rotateKey(key.id, { overlap: overlap.value.trim() }));
}
export async function revokeKey(key: Key): Promise<void> {
  take("revoke", await api.revokeKey(key.id));
}
export async function importKeys(all: unknown[]): Promise<void> {
  const n = await api.importKeys(all);
  changed += 1;
  announcement.value = t("key_did_import", { n });
  await read();
}

/** What went wrong, by field; what belongs to none is under "". */
export function faultsIn(error: unknown, fields: readonly string[]): Faults {
  if (error instanceof ApiError && error.status === 403) void readConfig(); // the role may be another by now
  if (!(error instanceof ApiError) || error.problems.length === 0) return { "": whyOf(error) };
  const faults: Faults = {};
  for (const { param, message } of error.problems) {
    const field = fieldOf(param, fields);
    const said = faultOf(param, message);
    const words = field || !param ? said : `${param}: ${said}`;
    faults[field] = faults[field] ? `${faults[field]} ${words}` : words;
  }
  return faults;
}
