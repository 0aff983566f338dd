// Where questions are written and files are added.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import * as state from "../state";
import { t } from "../strings";
import { Icon, IconButton } from "./icons";

function stageText(u: state.Upload): string {
  if (u.stage === "embedding") return t("embedding", { done: u.done, total: u.total });
  if (u.stage === "waiting") return t("waiting", { n: Math.ceil(u.wait / 1000) });
  return t("reading");
}

function Documents() {
  const documents = state.documents.value;
  const uploads = state.uploads.value.filter((u) => u.conversation === state.current.value);
  if (documents.length === 0 && uploads.length === 0) return null;
  return (
    <ul class="documents" aria-label={t("documents")}>
      {documents.map((d) => (
        <li key={d.id} class="document">
          <button type="button" class="name" title={t("open_document", { name: d.name })}
            onClick={() => {
              const page = d.pages > 0 ? 1 : 0;
              const source = { marker: d.name, document: d.id, name: d.name, page, line: 1, texts: [], score: 0,
                word_rank: 0, vector_rank: 0, similarity: 0 }; // prettier-ignore
              state.panel.value = { kind: "source", source };
            }}>
            <Icon name="file" />
            <span>{d.name}</span>
            <span class="muted">
              {d.pages > 0 && t("pages_n", { n: d.pages })}
              {!d.embedding_model && ` ${t("words_only")}`}
            </span>
          </button>
          <IconButton icon="close" class="small" label={t("remove_document", { name: d.name })}
            onClick={() => void state.removeDocument(d.id)} />
        </li>
      ))}
      {uploads.map((u) => (
        <li key={u.id} class={u.stage === "failed" ? "document failed" : "document"} data-stage={u.stage}>
          {u.stage === "failed" ? (
            <span role="alert">{t("upload_failed", { name: u.name, why: u.why })}</span>
          ) : u.stage === "notice" ? (
            <span role="status">
              {u.name}: {t("words_only_why", { why: u.why })}
            </span>
          ) : (
            <>
              <span>{u.name}</span>
              <span class="muted">{stageText(u)}</span>
              <progress max={u.total} value={u.stage === "reading" ? undefined : u.done} aria-label={u.name} />
            </>
          )}
          <IconButton icon="close" class="small" label={`${t("dismiss")}: ${u.name}`}
            onClick={() => state.dismissUpload(u.id)} />
        </li>
      ))}
    </ul>
  );
}

export function Composer() {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const busy = state.busy.value;
  useLayoutEffect(() => {
    const f = field.current!;
    f.style.height = "auto";
    f.style.height = `${Math.min(f.scrollHeight, 220)}px`;
  }, [text]);

  const send = () => {
    const question = text.trim();
    if (!question || busy) return;
    // Behind an unanswered question it takes that one's place.
    const last = state.path.value.at(-1);
    const parent = !last ? "" : last.role === "user" ? last.parent : last.id;
    setText("");
    void state.ask(parent, question);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    // While a Korean syllable is composed, Enter belongs to the input method.
    if (e.isComposing || e.keyCode === 229) return;
    if (e.key === "Enter" && !e.shiftKey) {
      e.preventDefault();
      send();
    } else if (e.key === "ArrowUp" && text === "" && !busy) {
      const question = [...state.path.value].reverse().find((m) => m.role === "user");
      if (question) {
        e.preventDefault();
        state.editing.value = question.id;
      }
    }
  };
  return (
    <form class="composer" onSubmit={(e) => (e.preventDefault(), send())}>
      <div class="column">
        <Documents />
        <div class="composer-row">
          <input ref={files} type="file" class="unseen" multiple tabIndex={-1} aria-label={t("attach")}
            accept=".pdf,.md,.markdown,.txt,.csv,.json,.log,.rst,text/*,application/pdf"
            onChange={(e) => {
              void state.addFiles(e.currentTarget.files ?? []);
              e.currentTarget.value = "";
            }} />
          <IconButton icon="clip" label={t("attach")} onClick={() => files.current?.click()} />
          <textarea id="question" ref={field} rows={1} value={text} placeholder={t("ask_hint")} aria-label={t("ask")}
            maxLength={32000} enterkeyhint="send" onInput={(e) => setText(e.currentTarget.value)} onKeyDown={onKeyDown} />
          {busy ? (
            <IconButton icon="stop" class="primary" label={t("stop")} onClick={state.stop} />
          ) : (
            <IconButton icon="send" class="primary" label={t("send")} disabled={text.trim() === ""} onClick={send} />
          )}
        </div>
      </div>
    </form>
  );
}
