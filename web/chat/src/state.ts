// What the page knows, and what can be done.
import { batch, computed, signal } from "@preact/signals";
import { api, ApiError } from "./api";
import { t } from "./strings";
import { latestBelow, pathTo } from "./tree";
import type { Conversation, Document, Failure, Message, Session, Settings, Source } from "./types";

export interface Run {
  conversation: string;
  stop: AbortController;
  question?: Message;
  answer?: Message;
}
export interface Upload {
  id: number;
  conversation: string;
  name: string;
  stage: "reading" | "embedding" | "waiting" | "failed" | "notice";
  done: number;
  total: number;
  wait: number;
  why: string;
  stop: AbortController;
}
export type Panel = { kind: "source"; source: Source } | { kind: "thoughts"; message: string };
export interface Trouble extends Failure {
  conversation: string;
  at: number; // when it was told, in this browser's time
}

export const session = signal<Session | null>(null);
export const fatal = signal<Failure | null>(null);
export const conversations = signal<Conversation[]>([]);
export const current = signal("");
export const messages = signal<Message[]>([]);
export const leaf = signal("");
export const documents = signal<Document[]>([]);
export const uploads = signal<Upload[]>([]);
export const runs = signal<Record<string, Run>>({});
export const trouble = signal<Trouble | null>(null);
export const panel = signal<Panel | null>(null);
export const menuOpen = signal(false);
export const dialog = signal<"" | "settings" | "shortcuts">("");
export const editing = signal("");
/** Read out by screen readers. */
export const announcement = signal("");

export const busy = computed(() => current.value in runs.value);
export const path = computed(() => pathTo(messages.value, leaf.value));
export const title = computed(
  () => conversations.value.find((c) => c.id === current.value)?.title || t("untitled"),
);

export function announce(text: string): void {
  // The same text twice would not be read again.
  announcement.value = announcement.value === text ? `${text}\u00a0` : text;
}

function asFailure(error: unknown): Failure {
  return error instanceof ApiError ? error.failure : { kind: "offline", message: String(error) };
}

function showTrouble(conversation: string, failure: Failure): void {
  trouble.value = { ...failure, conversation, at: Date.now() };
}

function put(message: Message): void {
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

export function fresh(): void {
  batch(() => {
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

export async function open(id: string): Promise<void> {
  let shown;
  try {
    shown = await api.open(id);
  } catch (error) {
    const failure = asFailure(error);
    fresh();
    showTrouble("", failure.status === 404 ? { ...failure, kind: "gone" } : failure);
    return;
  }
  const run = runs.value[id];
  batch(() => {
    current.value = id;
    messages.value = shown.messages;
    documents.value = shown.documents;
    leaf.value = shown.conversation.leaf;
    panel.value = null;
    editing.value = "";
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

async function ensureConversation(): Promise<string> {
  if (current.value) return current.value;
  const made = await api.create();
  batch(() => {
    conversations.value = [made, ...conversations.value];
    current.value = made.id;
  });
  history.pushState(null, "", `#c/${made.id}`);
  return made.id;
}

function touch(id: string, change: Partial<Conversation>): void {
  const list = conversations.value.map((c) => (c.id === id ? { ...c, ...change, updated: Date.now() } : c));
  conversations.value = list.sort((a, b) => b.updated - a.updated);
}

function endRun(id: string): void {
  const { [id]: _, ...rest } = runs.value;
  runs.value = rest;
}

/** Asks `text` below `parent`; without a text, `parent` is the question to be answered (again). */
export async function ask(parent: string, text?: string): Promise<void> {
  let id: string;
  try {
    id = await ensureConversation();
  } catch (error) {
    showTrouble("", asFailure(error));
    return;
  }
  if (id in runs.value) return;
  const run: Run = { conversation: id, stop: new AbortController() };
  batch(() => {
    runs.value = { ...runs.value, [id]: run };
    trouble.value = null;
    editing.value = "";
    if (text === undefined) leaf.value = parent;
  });
  announce(t("thinking"));
  const here = () => current.value === id;
  let due = 0;
  const flush = () => {
    due = 0;
    if (here() && run.answer) put(run.answer);
  };
  const change = (more: Partial<Message>, details: Message["details"] = {}) => {
    run.answer = { ...run.answer!, ...more, details: { ...run.answer!.details, ...details } };
    if (!due) due = requestAnimationFrame(flush);
  };
  try {
    for await (const event of api.turn(id, { parent, text }, run.stop.signal)) {
      switch (event.type) {
        case "started": {
          run.question = event.question;
          run.answer = {
            id: event.answer, parent: event.question.id, role: "assistant", text: "", state: "streaming",
            created: Date.now(), details: {},
          };
          batch(() => {
            touch(id, { title: event.title });
            if (!here()) return;
            put(event.question);
            put(run.answer!);
            leaf.value = event.answer;
          });
          break;
        }
        case "step":
          change({}, { steps: [...(run.answer!.details.steps ?? []), event.step] });
          break;
        case "sources":
          change({}, { sources: event.sources });
          break;
        case "backend":
          change({}, { backend: event.backend, attempts: event.attempts, model: event.model });
          break;
        case "text":
          change({ text: run.answer!.text + event.text });
          break;
        case "replace":
          change({ text: event.text });
          break;
        case "done":
          run.answer = event.message;
          flush();
          announce(t("answer_ready"));
          break;
        case "follow_ups":
          change({}, { follow_ups: event.questions });
          break;
        case "error":
          if (event.message) {
            run.answer = event.message;
            flush();
          } else {
            drop(run);
          }
          showTrouble(id, event.error);
          break;
      }
    }
  } catch (error) {
    if (run.stop.signal.aborted) {
      announce(t("stopped"));
    } else {
      showTrouble(id, asFailure(error));
    }
    if (run.answer && run.answer.state === "streaming") {
      if (run.answer.text) change({ state: run.stop.signal.aborted ? "stopped" : "failed" });
      else drop(run);
    }
  } finally {
    if (due) cancelAnimationFrame(due);
    flush();
    endRun(id);
  }
}

/** Takes away an answer of which nothing came. */
function drop(run: Run): void {
  const gone = run.answer;
  run.answer = undefined;
  if (!gone || current.value !== run.conversation) return;
  batch(() => {
    messages.value = messages.value.filter((m) => m.id !== gone.id);
    leaf.value = gone.parent;
  });
}

export function stop(): void {
  runs.value[current.value]?.stop.abort();
}

export function regenerate(message: Message): void {
  const question = message.role === "user" ? message.id : message.parent;
  void ask(question);
}

export function editQuestion(message: Message, text: string): void {
  void ask(message.parent, text);
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
    conversations.value = conversations.value.map((c) => (c.id === id ? { ...c, title: name } : c));
  } catch (error) {
    showTrouble(current.value, asFailure(error));
  }
}

export async function removeConversation(id: string): Promise<void> {
  try {
    runs.value[id]?.stop.abort();
    await api.remove(id);
    conversations.value = conversations.value.filter((c) => c.id !== id);
    if (current.value === id) fresh();
  } catch (error) {
    showTrouble(current.value, asFailure(error));
  }
}

export async function removeAll(): Promise<void> {
  for (const run of Object.values(runs.value)) run.stop.abort();
  await api.removeAll();
  conversations.value = [];
  fresh();
}

export async function saveSettings(settings: Partial<Settings>): Promise<void> {
  const saved = await api.saveSettings(settings);
  session.value = { ...session.value!, settings: saved };
}

let lastUpload = 0;

function changeUpload(id: number, change: Partial<Upload>): void {
  uploads.value = uploads.value.map((u) => (u.id === id ? { ...u, ...change } : u));
}

export function dismissUpload(id: number): void {
  uploads.value.find((u) => u.id === id)?.stop.abort();
  uploads.value = uploads.value.filter((u) => u.id !== id);
}

export async function addFiles(files: Iterable<File>): Promise<void> {
  const list = [...files];
  if (list.length === 0) return;
  let conversation: string;
  try {
    conversation = await ensureConversation();
  } catch (error) {
    showTrouble("", asFailure(error));
    return;
  }
  for (const file of list) await addFile(conversation, file);
}

async function addFile(conversation: string, file: File): Promise<void> {
  const id = ++lastUpload;
  const stop = new AbortController();
  const name = file.name;
  uploads.value = [
    ...uploads.value,
    { id, conversation, name, stage: "reading", done: 0, total: 1, wait: 0, why: "", stop },
  ];
  const most = session.value?.max_upload_bytes ?? Infinity;
  if (file.size > most) {
    changeUpload(id, { stage: "failed", why: t("too_large", { n: Math.floor(most / 1048576) }) });
    return;
  }
  try {
    for await (const event of api.upload(conversation, file, stop.signal)) {
      if (event.type === "progress")
        changeUpload(id, { stage: event.stage, done: event.done, total: event.total, wait: event.wait_ms });
      else if (event.type === "error") changeUpload(id, { stage: "failed", why: event.message });
      else if (event.type === "document") {
        if (current.value === conversation) documents.value = [...documents.value, event.document];
        if (event.trouble) changeUpload(id, { stage: "notice", why: event.trouble });
        else uploads.value = uploads.value.filter((u) => u.id !== id);
        announce(t("open_document", { name: event.document.name }));
      }
    }
  } catch (error) {
    if (!stop.signal.aborted) changeUpload(id, { stage: "failed", why: asFailure(error).message });
  }
}

export async function removeDocument(id: string): Promise<void> {
  try {
    await api.removeDocument(id);
    documents.value = documents.value.filter((d) => d.id !== id);
    if (panel.value?.kind === "source" && panel.value.source.document === id) panel.value = null;
  } catch (error) {
    showTrouble(current.value, asFailure(error));
  }
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    announce(t("copied"));
  } catch {
    announce(t("copy_failed"));
  }
}
