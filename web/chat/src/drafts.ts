// What a person wrote and the server has not taken yet: kept in this browser for each conversation, so that it
// survives a reload, a closed tab and a server that is away. "" is the conversation that is not begun yet.
import { signal } from "@preact/signals";
import { otherTabs, tab } from "./tabs";
import type { Failure } from "./types";

/** A question on its way to the server, or one that did not get there. */
export interface Unsent {
  text: string;
  parent: string;
  failure?: Failure; // absent: it is being sent
  tab?: string; // that has it; each keeps its own
}

const draftsKey = "spillway.drafts";
const unsentKey = "spillway.unsent";
const beginningKey = "spillway.beginning"; // what this tab writes in the conversation that is not begun yet
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

function loadDrafts(): Record<string, string> {
  const all = load<string>(draftsKey);
  try {
    // Two tabs may begin a conversation each; a new tab begins with what a closed one left.
    const own = sessionStorage.getItem(beginningKey);
    return own === null ? all : changed(all, "", own || undefined);
  } catch {
    return all;
  }
}

export const drafts = signal(loadDrafts());

// What a page was sending when it closed did not arrive, as far as this one knows.
function left(one: Unsent): Unsent {
  return { ...one, failure: one.failure ?? { kind: "interrupted", message: "" } };
}
const placeOf = (id: string, of = tab) => `${id}@${of}`;
const idAt = (place: string) => place.split("@")[0]!;

export const unsent = signal(
  Object.fromEntries(
    Object.entries(load<Unsent>(unsentKey)).filter(([, one]) => one.tab === tab).map(([place, one]) => [idAt(place), left(one)]),
  ),
);

/** What a tab that is gone did not get to the server is this one's now, where it has nothing itself. */
async function takeOver(): Promise<void> {
  if (Object.values(load<Unsent>(unsentKey)).every((one) => one.tab === tab)) return;
  const others = await otherTabs();
  for (const [place, one] of Object.entries(load<Unsent>(unsentKey))) {
    const id = idAt(place);
    if (one.tab === tab || others.has(one.tab ?? "") || id in unsent.value) continue;
    keep(unsentKey, changed(load<Unsent>(unsentKey), place, undefined));
    setUnsent(id, left(one));
  }
}
void takeOver();

export function setDraft(id: string, text: string): void {
  if (id === "") {
    try {
      sessionStorage.setItem(beginningKey, text);
    } catch {
      // as above
    }
    const others = load<string>(draftsKey)[""] !== drafts.value[""];
    if (!text && others) {
      drafts.value = changed(drafts.value, id, undefined);
      return;
    }
  }
  drafts.value = changed(drafts.value, id, text || undefined);
  // In the store only this entry is changed: other tabs keep theirs there, too.
  keep(draftsKey, changed(load<string>(draftsKey), id, text || undefined));
}

export function setUnsent(id: string, one: Unsent | undefined): void {
  unsent.value = changed(unsent.value, id, one);
  keep(unsentKey, changed(load<Unsent>(unsentKey), placeOf(id), one && { ...one, tab }));
}

/** Puts `text` before what stands in the field of `id`. */
export function giveBack(id: string, text: string): void {
  setDraft(id, [text, drafts.value[id]].filter(Boolean).join("\n\n"));
}

/** The conversation that was begun as "" has an id now. */
export function begun(id: string): void {
  setUnsent(id, unsent.value[""]);
  setUnsent("", undefined);
  setDraft(id, drafts.value[""] ?? "");
  setDraft("", "");
}
