// Asking, and following an answer as the server writes it. A turn is the server's: it goes on when this page
// is closed, and whoever opens the conversation follows it from wherever it is.
import { batch } from "@preact/signals";
import { api } from "./api";
import { drafts, giveBack, setDraft, setUnsent, unsent } from "./drafts";
import {
  announce, asFailure, conversations, current, editing, ensureConversation, fresh, leaf, leave, messages, onRunning,
  path, put, refresh, runs, showTrouble, touch, trouble, type Run,
} from "./state";
import { t } from "./strings";
import { onChange, tell } from "./tabs";
import type { Message, TurnEvent } from "./types";

/** How long a lost connection is tried anew before it is an error. */
const patience = 60_000;

function endRun(run: Run): void {
  if (runs.value[run.conversation] !== run) return;
  runs.value = Object.fromEntries(Object.entries(runs.value).filter(([id]) => id !== run.conversation));
}

/** The message below which the next question comes; behind an unanswered question it takes that one's place. */
export function nextParent(): string {
  const last = path.value.at(-1);
  return !last ? "" : last.role === "user" ? last.parent : last.id;
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

/** Shows a run's answer as it grows, in steps that leave the page time for everything else. */
class Painter {
  private due = 0;
  private cost = 0;

  constructor(private readonly run: Run) {}

  change(more: Partial<Message>, details: Message["details"] = {}): void {
    const answer = this.run.answer!;
    this.run.answer = { ...answer, ...more, details: { ...answer.details, ...details } };
    // At most a twentieth of the time goes into painting.
    this.due ||= window.setTimeout(() => requestAnimationFrame(() => this.flush()), Math.min(2000, 19 * this.cost));
  }
  flush(): void {
    clearTimeout(this.due);
    this.due = 0;
    if (current.value !== this.run.conversation || !this.run.answer) return;
    const began = performance.now();
    put(this.run.answer);
    setTimeout(() => (this.cost = performance.now() - began)); // behind rendering and layout
  }
}

function take(run: Run, event: TurnEvent, painter: Painter): void {
  const id = run.conversation;
  switch (event.type) {
    case "started":
      run.question = event.question;
      run.answer = {
        id: event.answer, parent: event.question.id, role: "assistant", text: "", state: "streaming",
        created: Date.now(), details: {},
      };
      batch(() => {
        setUnsent(id, undefined);
        touch(id, { title: event.title });
        if (current.value !== id) return;
        put(event.question);
        put(run.answer!);
        leaf.value = event.answer;
      });
      tell({ kind: "conversation", id });
      break;
    case "step":
      painter.change({}, { steps: [...(run.answer!.details.steps ?? []), event.step] });
      break;
    case "sources":
      painter.change({}, { sources: event.sources });
      break;
    case "backend":
      painter.change({}, { backend: event.backend, attempts: event.attempts, model: event.model });
      break;
    case "text":
      painter.change({ text: run.answer!.text + event.text });
      break;
    case "replace":
      painter.change({ text: event.text });
      break;
    case "done":
      run.answer = event.message;
      painter.flush();
      answered(run, event.message.state === "stopped" ? t("stopped") : t("answer_ready"));
      break;
    case "stopped":
      drop(run);
      answered(run, t("stopped"));
      break;
    case "follow_ups":
      painter.change({}, { follow_ups: event.questions });
      break;
    case "error":
      if (event.message) {
        run.answer = event.message;
        painter.flush();
      } else {
        drop(run);
      }
      answered(run);
      showTrouble(id, event.error);
      break;
  }
}

function answered(run: Run, words = ""): void {
  run.answered = true;
  runs.value = { ...runs.value };
  tell({ kind: "conversation", id: run.conversation });
  if (words) announce(words);
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Goes on with a turn whose connection was lost; false when there is none any more. */
async function resume(run: Run, painter: Painter): Promise<boolean> {
  const until = Date.now() + patience;
  for (let wait = 250; ; wait = Math.min(wait * 2, 5000)) {
    await pause(wait);
    if (run.leave.signal.aborted) return true;
    try {
      for await (const event of api.follow(run.conversation, run.events, run.leave.signal)) {
        ++run.events;
        take(run, event, painter);
      }
      return true;
    } catch (error) {
      const failure = asFailure(error);
      if (run.leave.signal.aborted) return true;
      if (failure.kind === "gone" || failure.kind === "not_yours") return false;
      if (Date.now() > until) throw error;
    }
  }
}

/** The turn is over, and this page missed its end: what the server kept is what there is. */
async function reload(run: Run): Promise<void> {
  endRun(run);
  run.answer = undefined; // it is not painted over what comes
  await refresh(run.conversation);
}

async function follow(run: Run, events: AsyncGenerator<TurnEvent>): Promise<void> {
  const painter = new Painter(run);
  try {
    try {
      for await (const event of events) {
        ++run.events;
        take(run, event, painter);
      }
    } catch (error) {
      const failure = asFailure(error);
      if (run.leave.signal.aborted) return;
      // Not even a head came: the server has not taken it, or says no.
      const lost = failure.kind === "cut" || (failure.kind === "offline" && run.events > 0);
      if (!lost) throw error;
      if (!(await resume(run, painter))) await reload(run);
    }
  } catch (error) {
    if (run.leave.signal.aborted) return;
    const failure = asFailure(error);
    if (run.answer && !run.answered) {
      if (run.answer.text) painter.change({ state: "failed" });
      else drop(run);
      showTrouble(run.conversation, failure);
    } else if (!run.question) {
      throw error;
    }
  } finally {
    painter.flush();
    endRun(run);
  }
}

function newRun(conversation: string): Run {
  const run: Run = { conversation, leave: new AbortController(), events: 0, answered: false, stopping: false };
  runs.value[conversation]?.leave.abort();
  runs.value = { ...runs.value, [conversation]: run };
  return run;
}

onRunning((id) => {
  const run = newRun(id);
  void follow(run, api.follow(id, 0, run.leave.signal)).catch(() => reload(run));
});

/** Asks `text` below `parent`; without a text, `parent` is the question to be answered (again). */
export async function ask(parent: string, text?: string): Promise<void> {
  if (runs.value[current.value]?.answered === false) return;
  if (text !== undefined) {
    const waiting = unsent.value[current.value];
    if (waiting?.failure && waiting.text !== text) giveBack(current.value, waiting.text);
    setUnsent(current.value, { text, parent });
  }
  batch(() => {
    trouble.value = null;
    editing.value = "";
  });
  let id = current.value;
  try {
    id = await ensureConversation();
  } catch (error) {
    notSent(id, asFailure(error));
    return;
  }
  const run = newRun(id);
  if (text === undefined) leaf.value = parent;
  announce(t("thinking"));
  try {
    await follow(run, api.turn(id, { parent, text }, run.leave.signal));
    if (!run.leave.signal.aborted) setUnsent(id, undefined); // taken, though its first event may not have come
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind === "turn_running" || failure.kind === "parent_gone") await refresh(id);
    if (text === undefined) showTrouble(id, failure);
    else notSent(id, failure);
  }
}

function notSent(id: string, failure: ReturnType<typeof asFailure>): void {
  const one = unsent.value[id];
  if (one) setUnsent(id, { ...one, failure });
  announce(t("not_sent"));
}

/** Sends what did not get to the server once more. */
export function sendAgain(): void {
  const one = unsent.value[current.value];
  if (!one) return;
  const known = one.parent === "" ? messages.value.length === 0 : messages.value.some((m) => m.id === one.parent);
  void ask(known ? one.parent : nextParent(), one.text);
}

/** In a conversation of its own: the old one is gone, or another's. */
export function sendInNew(): void {
  const one = unsent.value[current.value];
  if (!one) return;
  setUnsent(current.value, undefined);
  conversations.value = conversations.value.filter((c) => c.id !== current.value);
  fresh();
  void ask("", one.text);
}

/** Ends the answer that is being written; what came is kept. */
export async function stop(): Promise<void> {
  const run = runs.value[current.value];
  if (!run || run.stopping) return;
  run.stopping = true;
  try {
    await api.stop(run.conversation);
  } catch (error) {
    run.stopping = false;
    showTrouble(run.conversation, asFailure(error));
  }
}

export function regenerate(message: Message): void {
  void ask(message.role === "user" ? message.id : message.parent);
}

export function editQuestion(message: Message, text: string): void {
  void ask(message.parent, text);
}

onChange((change) => {
  void (async () => {
    if (change.kind === "removed" && change.id === current.value) {
      const written = [unsent.value[change.id]?.text, drafts.value[change.id]].filter(Boolean).join("\n\n");
      setUnsent(change.id, undefined);
      setDraft(change.id, "");
      leave(change.id);
      if (written) giveBack("", written);
      showTrouble("", { kind: "gone", message: "" });
    }
    conversations.value = await api.conversations();
    if (change.kind === "conversation" && !(change.id in runs.value)) await refresh(change.id);
  })().catch(() => undefined); // offline: the next thing that is done will say so
});
