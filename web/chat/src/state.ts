// What the page knows, and what can be done.
import { batch, computed, signal } from "@preact/signals";
import { api, ApiError } from "./api";
import { begun } from "./drafts";
import { t } from "./strings";
import { tell } from "./tabs";
import { latestBelow, pathTo } from "./tree";
import type { Conversation, Document, Failure, Message, Session, Settings, Source } from "./types";

/** A turn that this page follows. */
export interface Run {
  conversation: string;
  leave: AbortController; // ends the following; the server goes on
  events: number; // that came so far
  answered: boolean; // only suggestions are still to come
  stopping: boolean;
  question?: Message;
  answer?: Message;
}
export type Panel = { kind: "source"; source: Source } | { kind: "thoughts"; message: string };
export interface Trouble extends Failure {
  conversation: string;
  at: number; // when it was told, in this browser's time
}

export const session = signal<Session | null>(null);
/** Is the conversation that was asked for in view? What is asked before would go into another one. */
export const ready = signal(false);
export const fatal = signal<Failure | null>(null);
export const conversations = signal<Conversation[]>([]);
export const current = signal("");
export const messages = signal<Message[]>([]);
export const leaf = signal("");
export const documents = signal<Document[]>([]);
export const runs = signal<Record<string, Run>>({});
export const trouble = signal<Trouble | null>(null);
export const panel = signal<Panel | null>(null);
export const menuOpen = signal(false);
export const dialog = signal<"" | "settings" | "shortcuts">("");
export const editing = signal("");
/** Read out by screen readers. */
export const announcement = signal("");

/** Is an answer being written here? The next question may be asked before the suggestions are in. */
export const busy = computed(() => runs.value[current.value]?.answered === false);
export const path = computed(() => pathTo(messages.value, leaf.value));
export const title = computed(
  () => conversations.value.find((c) => c.id === current.value)?.title || t("untitled"),
);

export function announce(text: string): void {
  // The same text twice would not be read again.
  announcement.value = announcement.value === text ? `${text}\u00a0` : text;
}

export function asFailure(error: unknown): Failure {
  return error instanceof ApiError ? error.failure : { kind: "offline", message: String(error) };
}

export function showTrouble(conversation: string, failure: Failure): void {
  trouble.value = { ...failure, conversation, at: Date.now() };
}

export function put(message: Message): void {
  const list = messages.value;
  const at = list.findIndex((m) => m.id === message.id);
  messages.value = at < 0 ? [...list, message] : list.map((m, i) => (i === at ? message : m));
}

export async function start(): Promise<void> {
  try {
    session.value = await api.session();
    conversations.value = await api.conversations();
    await openFromAddress();
  } catch (error) {
    fatal.value = asFailure(error);
  }
}

export async function openFromAddress(): Promise<void> {
  const id = /^#c\/([0-9a-f]{32})$/.exec(location.hash)?.[1];
  if (id) await open(id);
  else fresh();
}

/** The conversation that was last asked for; one that comes after it was left is not shown any more. */
let wanted = "";

export function fresh(): void {
  wanted = "";
  batch(() => {
    ready.value = true;
    current.value = "";
    messages.value = [];
    documents.value = [];
    leaf.value = "";
    panel.value = null;
    trouble.value = null;
    editing.value = "";
    menuOpen.value = false;
  });
  if (location.hash) history.pushState(null, "", location.pathname);
}

const followers: ((id: string) => void)[] = [];
/** Calls `follow` when a conversation is opened in which the server is writing an answer. */
export function onRunning(follow: (id: string) => void): void {
  followers.push(follow);
}

export async function open(id: string): Promise<void> {
  wanted = id;
  let shown;
  try {
    shown = await api.open(id);
  } catch (error) {
    if (wanted !== id) return;
    const failure = asFailure(error);
    fresh();
    showTrouble("", failure);
    return;
  }
  if (wanted !== id) return;
  const run = runs.value[id];
  const again = current.value === id;
  if (shown.running && !run) followers.forEach((follow) => follow(id));
  batch(() => {
    ready.value = true;
    current.value = id;
    messages.value = shown.messages;
    documents.value = shown.documents;
    leaf.value = shown.conversation.leaf;
    panel.value = null;
    if (!again) editing.value = "";
    menuOpen.value = false;
    if (trouble.value?.conversation !== id) trouble.value = null;
    if (run?.question) {
      put(run.question);
      leaf.value = run.question.id;
    }
    if (run?.answer) {
      put(run.answer);
      leaf.value = run.answer.id;
    }
  });
  if (location.hash !== `#c/${id}`) history.pushState(null, "", `#c/${id}`);
}

/** `id` is no more: it is neither shown nor waited for. */
export function leave(id: string): void {
  if (wanted === id) fresh();
}

/** Opens `id` anew, as the server has it now, unless another one is in view or asked for. */
export async function refresh(id: string): Promise<void> {
  if (current.value === id && wanted === id) await open(id);
}

export async function ensureConversation(): Promise<string> {
  if (current.value) return current.value;
  const before = wanted;
  const made = await api.create();
  const stay = wanted === before; // nobody chose another one meanwhile
  if (stay) wanted = made.id;
  batch(() => {
    conversations.value = [made, ...conversations.value];
    begun(made.id);
    if (stay) current.value = made.id;
  });
  tell({ kind: "list" });
  if (stay) history.pushState(null, "", `#c/${made.id}`);
  return made.id;
}

export function touch(id: string, change: Partial<Conversation>): void {
  const list = conversations.value.map((c) => (c.id === id ? { ...c, ...change, updated: Date.now() } : c));
  conversations.value = list.sort((a, b) => b.updated - a.updated);
}


export async function showVersion(message: Message): Promise<void> {
  leaf.value = latestBelow(messages.value, message.id);
  try {
    await api.change(current.value, { leaf: leaf.value });
  } catch {
    // It is shown all the same; only a reload would not remember it.
  }
}

export async function rename(id: string, name: string): Promise<void> {
  try {
    await api.change(id, { title: name });
    tell({ kind: "list" });
    conversations.value = conversations.value.map((c) => (c.id === id ? { ...c, title: name } : c));
  } catch (error) {
    showTrouble(current.value, asFailure(error));
  }
}

export async function removeConversation(id: string): Promise<void> {
  try {
    await api.remove(id);
    runs.value[id]?.leave.abort();
    tell({ kind: "removed", id });
    conversations.value = conversations.value.filter((c) => c.id !== id);
    leave(id);
  } catch (error) {
    showTrouble(current.value, asFailure(error));
  }
}

export async function removeAll(): Promise<void> {
  await api.removeAll();
  for (const run of Object.values(runs.value)) run.leave.abort();
  for (const { id } of conversations.value) tell({ kind: "removed", id });
  conversations.value = [];
  fresh();
}

export async function saveSettings(settings: Partial<Settings>): Promise<void> {
  const saved = await api.saveSettings(settings);
  session.value = { ...session.value!, settings: saved };
}

export async function removeDocument(id: string): Promise<void> {
  try {
    await api.removeDocument(id);
    tell({ kind: "conversation", id: current.value });
    documents.value = documents.value.filter((d) => d.id !== id);
    if (panel.value?.kind === "source" && panel.value.source.document === id) panel.value = null;
  } catch (error) {
    showTrouble(current.value, asFailure(error));
  }
}
