// One message: its text, its versions, its tools, who answered, its sources and follow-ups.
import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "../../../shared/clipboard";
import { drafts, setDraft } from "../drafts";
import { placeText } from "../markdown";
import * as state from "../state";
import { t } from "../strings";
import { siblings } from "../tree";
import * as turns from "../turns";
import type { Message, Source } from "../types";
import { Blocks, useBlocks } from "./blocks";
import { IconButton } from "./icons";

function Versions({ message }: { message: Message }) {
  const all = siblings(state.messages.value, message);
  if (all.length < 2) return null;
  const at = all.findIndex((m) => m.id === message.id);
  const go = (step: number) => void state.showVersion(all[at + step]!);
  return (
    <span class="versions">
      <IconButton icon="left" class="small" label={t("previous_version")} disabled={at === 0} onClick={() => go(-1)} />
      <span aria-label={t("version_n", { n: at + 1, of: all.length })}>
        {at + 1}/{all.length}
      </span>
      <IconButton icon="right" class="small" label={t("next_version")} disabled={at === all.length - 1}
        onClick={() => go(1)} />
    </span>
  );
}

function Editor({ message }: { message: Message }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const key = `edit:${message.id}`; // of its draft
  useEffect(() => {
    const f = field.current!;
    f.focus();
    f.setSelectionRange(f.value.length, f.value.length);
  }, []);
  const send = () => {
    const text = field.current!.value.trim();
    if (!text) return;
    turns.editQuestion(message, text);
    setDraft(key, "");
  };
  const cancel = () => {
    setDraft(key, "");
    state.editing.value = "";
    document.querySelector<HTMLElement>("#question")?.focus();
  };
  return (
    <div class="editor">
      <textarea ref={field} rows={3} defaultValue={drafts.peek()[key] ?? message.text} aria-label={t("edit_label")}
        onInput={(e) => setDraft(key, e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.isComposing) return;
          if (e.key === "Enter" && !e.shiftKey) {
            e.preventDefault();
            send();
          }
          if (e.key === "Escape") {
            e.stopPropagation();
            cancel();
          }
        }} />
      <div class="row end">
        <button type="button" class="button" onClick={cancel}>
          {t("cancel")}
        </button>
        <button type="button" class="button primary" onClick={send}>
          {t("ask_again")}
        </button>
      </div>
    </div>
  );
}

/** Says "Copied" when it was. */
function CopyButton({ text }: { text: string }) {
  const [label, setLabel] = useState<"copy_message" | "copied" | "copy_failed">("copy_message");
  return (
    <IconButton icon="copy" class="small" label={t(label)}
      onClick={() => {
        void copyText(text).then((done) => {
          setLabel(done ? "copied" : "copy_failed");
          state.announce(t(done ? "copied" : "copy_failed"));
          setTimeout(() => setLabel("copy_message"), 1500);
        });
      }} />
  );
}

export function Question({ message }: { message: Message }) {
  const editing = state.editing.value === message.id;
  return (
    <article class="message question" aria-label={t("you")}>
      {editing ? <Editor message={message} /> : <div class="bubble" dir="auto">{message.text}</div>}
      {!editing && (
        <div class="tools">
          <Versions message={message} />
          <IconButton icon="edit" class="small" label={t("edit")} disabled={state.busy.value}
            onClick={() => (state.editing.value = message.id)} />
          <CopyButton text={message.text} />
        </div>
      )}
    </article>
  );
}

/** Who answered after how many attempts: so one sees the spill-over. */
function Backend({ message }: { message: Message }) {
  const { backend, attempts = 0, asked = 1 } = message.details;
  if (!backend || !state.session.value?.settings.show_backend) return null;
  const spilled = attempts > 1;
  const label = spilled ? t("spilled_label", { backend, n: attempts }) : t("answered_by", { backend });
  return (
    <span class={spilled ? "backend spilled" : "backend"} title={label} data-attempts={attempts}>
      <span class="unseen">{label}</span>
      <span aria-hidden="true">
        {backend}
        {attempts > 0 && ` · ${attempts === 1 ? t("attempts_1") : t("attempts_n", { n: attempts })}`}
        {spilled && ` · ${t("spilled")}`}
        {asked > 1 && ` · ${t("reconnected")}`}
      </span>
    </span>
  );
}

function Sources({ sources, cited }: { sources: Source[]; cited: number[] }) {
  if (sources.length === 0) return null;
  // What the text does not cite was still shown to the model.
  const shown = cited.length > 0 ? [...cited].sort((a, b) => a - b) : sources.map((_, i) => i);
  return (
    <div class="sources">
      <h3 class="small-head">{cited.length > 0 ? t("sources_used") : t("sources_shown")}</h3>
      <ul>
        {shown.map((i) => {
          const s = sources[i]!;
          return (
            <li key={i}>
              <button type="button" class="button source" title={t("open_source", { n: i + 1, name: s.name, place: placeText(s) })}
                onClick={() => (state.panel.value = { kind: "source", source: s })}>
                <b>{i + 1}</b> {s.name}, {placeText(s)}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function onTextClick(event: MouseEvent, sources: Source[]): void {
  const target = event.target as HTMLElement;
  const cite = target.closest<HTMLElement>(".cite");
  if (cite) {
    const source = sources[Number(cite.dataset.source)];
    if (source) state.panel.value = { kind: "source", source };
  }
  const button = target.closest<HTMLElement>(".code-copy");
  if (button) {
    const code = button.closest(".code")?.querySelector("code")?.textContent ?? "";
    void copyText(code).then((done) => {
      button.textContent = t(done ? "copied" : "copy_failed");
      state.announce(button.textContent);
      setTimeout(() => (button.textContent = t("copy")), 1500);
    });
  }
}

/** Why an answer is not whole; undefined if it is. */
function cutBy(message: Message): "broken" | "stopped" | "length" | "content_filter" | undefined {
  if (message.state === "failed") return "broken";
  if (message.state === "stopped") return "stopped";
  const why = message.details.finish_reason;
  return message.state === "done" && (why === "length" || why === "content_filter") ? why : undefined;
}

const cutTexts = {
  broken: "broken_off", stopped: "stopped", length: "cut_by_length", content_filter: "cut_by_filter",
} as const;

/** An answer that is not whole says so, and why, and goes on if that is wanted. */
function Ending({ message, last }: { message: Message; last: boolean }) {
  const why = cutBy(message);
  if (!why) return null;
  return (
    <div class="ending" data-reason={why}>
      <p class={why === "broken" ? "note bad" : "note"}>{t(cutTexts[why])}</p>
      {last && why !== "content_filter" && (
        <button type="button" class="button" disabled={state.busy.value}
          onClick={() => void turns.ask(message.id, t("continue_question"))}>
          {t("continue")}
        </button>
      )}
      {last && why === "broken" && (
        <button type="button" class="button" disabled={state.busy.value} onClick={() => turns.regenerate(message)}>
          {t("send_again")}
        </button>
      )}
    </div>
  );
}

const noSources: Source[] = []; // always the same: another list would be another text

export function Answer({ message, last }: { message: Message; last: boolean }) {
  const streaming = message.state === "streaming";
  const sources = message.details.sources ?? noSources;
  const { blocks, cited, more } = useBlocks(message.text, sources, streaming);
  const busy = streaming || more; // it is done when all of it is shown
  const followUps = message.details.follow_ups ?? [];
  return (
    <article class="message answer" aria-label={t("assistant")} aria-busy={busy} data-state={busy ? "streaming" : message.state}>
      {message.text === "" && !streaming ? (
        cutBy(message) ? null : <p class="note">{t("empty_answer")}</p>
      ) : message.text === "" ? (
        <p class="waiting" aria-hidden="true">
          <span class="dot" />
          <span class="dot" />
          <span class="dot" />
        </p>
      ) : (
        <div class={streaming ? "text writing" : "text"} onClick={(e) => onTextClick(e, sources)}>
          <Blocks blocks={blocks} />
        </div>
      )}
      <Ending message={message} last={last} />
      {!streaming && <Sources sources={sources} cited={cited} />}
      <div class="tools">
        <Backend message={message} />
        {!streaming && (
          <>
            <Versions message={message} />
            <CopyButton text={message.text} />
            <IconButton icon="redo" class="small" label={t("regenerate")} disabled={state.busy.value}
              onClick={() => turns.regenerate(message)} />
          </>
        )}
        <IconButton icon="bulb" class="small" label={t("show_thoughts")}
          expanded={state.panel.value?.kind === "thoughts" && state.panel.value.message === message.id}
          onClick={() => (state.panel.value = { kind: "thoughts", message: message.id })} />
      </div>
      {last && followUps.length > 0 && (
        <div class="follow-ups">
          <h3 class="small-head">{t("follow_ups")}</h3>
          <ul>
            {followUps.map((q) => (
              <li key={q}>
                <button type="button" class="button" disabled={state.busy.value} onClick={() => void turns.ask(message.id, q)}>
                  {q}
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </article>
  );
}
