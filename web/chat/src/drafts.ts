// What a person wrote and the server has not taken yet: kept in this browser for each conversation, so that it
// survives a reload, a closed tab and a server that is away. "" is the conversation that is not begun yet.
import { signal } from "@preact/signals";
import type { Failure } from "./types";

/** A question on its way to the server, or one that did not get there. */
export interface Unsent {
  text: string;
  parent: string;
  failure?: Failure; // absent: it is being sent
}

const draftsKey = "spillway.drafts";
const unsentKey = "spillway.unsent";
const most = 100; // conversations with a draft; the oldest goes first

function load<T>(key: string): Record<string, T> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    return value && typeof value === "object" ? (value as Record<string, T>) : {};
  } catch {
    return {};
  }
}

function keep<T>(key: string, all: Record<string, T>): void {
  try {
    localStorage.setItem(key, JSON.stringify(all));
  } catch {
    // The store is full or off: it lives as long as the tab then.
  }
}

/** `all` with `value` for `id`, as the newest; without an entry for undefined. */
export function changed<T>(all: Record<string, T>, id: string, value: T | undefined): Record<string, T> {
  const entries = Object.entries(all).filter(([name]) => name !== id);
  if (value === undefined) return Object.fromEntries(entries);
  return { ...Object.fromEntries(entries.slice(Math.max(0, entries.length - most + 1))), [id]: value };
}

export const drafts = signal(load<string>(draftsKey));
export const unsent = signal(load<Unsent>(unsentKey));

// What another page of this browser was sending when it closed did not arrive, as far as this one knows.
unsent.value = Object.fromEntries(
  Object.entries(unsent.value).map(([id, one]) => [
    id,
    one.failure ? one : { ...one, failure: { kind: "interrupted", message: "" } },
  ]),
);

export function setDraft(id: string, text: string): void {
  drafts.value = changed(drafts.value, id, text || undefined);
  keep(draftsKey, drafts.value);
}

export function setUnsent(id: string, one: Unsent | undefined): void {
  unsent.value = changed(unsent.value, id, one);
  keep(unsentKey, unsent.value);
}

/** The conversation that was begun as "" has an id now. */
export function begun(id: string): void {
  setUnsent(id, unsent.value[""]);
  setUnsent("", undefined);
}
