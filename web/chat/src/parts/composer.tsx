// Where questions are written and files are added.
import { useLayoutEffect, useRef } from "preact/hooks";
import { drafts, setDraft } from "../drafts";
import * as state from "../state";
import { t } from "../strings";
import * as turns from "../turns";
import * as uploading from "../uploads";
import { Icon, IconButton } from "./icons";

function stageText(u: uploading.Upload): string {
  if (u.stage === "embedding") return t("embedding", { done: u.done, total: u.total });
  if (u.stage === "waiting") return t("waiting", { n: Math.ceil(u.wait / 1000) });
  return t(u.stage === "sending" ? "sending" : "reading");
}

function Documents() {
  const documents = state.documents.value;
  const uploads = uploading.uploads.value.filter((u) => u.conversation === state.current.value);
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
              <progress max={u.total} value={u.stage === "reading" || u.stage === "sending" ? undefined : u.done} aria-label={u.name} />
            </>
          )}
          <IconButton icon="close" class="small" label={`${t("dismiss")}: ${u.name}`}
            onClick={() => uploading.dismissUpload(u.id)} />
        </li>
      ))}
    </ul>
  );
}

/** The server takes no longer question. */
const longest = 32000;

export function Composer() {
  const text = drafts.value[state.current.value] ?? "";
  const setText = (next: string) => setDraft(state.current.value, next);
  const field = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const busy = state.busy.value;
  useLayoutEffect(() => {
    const f = field.current!;
    f.style.height = "auto";
    f.style.height = `${Math.min(f.scrollHeight, 220)}px`;
  }, [text]);

  // In the field at load, and when another conversation is opened; not on a phone, where the keyboard would cover it.
  useLayoutEffect(() => {
    if (matchMedia("(hover: hover)").matches && !document.querySelector("dialog[open]")) field.current!.focus();
  }, [state.current.value]);
  const send = () => {
    const question = text.trim();
    if (!question || busy || question.length > longest) return;
    // It is kept as unsent until the server has it.
    setText("");
    void turns.ask(turns.nextParent(), question);
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
  const onPaste = (e: ClipboardEvent) => {
    const picture = [...(e.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
    const pasted = e.clipboardData?.getData("text/plain") ?? "";
    if (picture && !pasted) {
      e.preventDefault();
      void uploading.addFiles([picture]); // which says that pictures are not taken
    } else if (e.clipboardData?.files.length && !pasted) {
      e.preventDefault();
      void uploading.addFiles(e.clipboardData.files);
    } else if (text.length + pasted.length > longest) {
      e.preventDefault();
      const name = t("pasted_name", { n: new Date().toLocaleTimeString().replaceAll(":", ".") });
      void uploading.addFiles([new File([pasted], `${name}.txt`, { type: "text/plain" })]);
      state.announce(t("pasted_as_file"));
    }
  };
  const tooLong = text.trim().length > longest;
  return (
    <form class="composer" onSubmit={(e) => (e.preventDefault(), send())}>
      <div class="column">
        <Documents />
        {tooLong && (
          <p id="too-long" class="note bad" role="status">
            {t("question_too_long", { n: text.trim().length, most: longest })}
          </p>
        )}
        <div class="composer-row">
          <input ref={files} type="file" class="unseen" multiple tabIndex={-1} aria-label={t("attach")}
            accept={uploading.accepted}
            onChange={(e) => {
              void uploading.addFiles(e.currentTarget.files ?? []);
              e.currentTarget.value = "";
            }} />
          <IconButton icon="clip" label={t("attach")} onClick={() => files.current?.click()} />
          <textarea id="question" ref={field} rows={1} value={text} placeholder={t("ask_hint")} aria-label={t("ask")}
            dir="auto" enterkeyhint="send" aria-describedby={tooLong ? "too-long" : undefined} aria-invalid={tooLong}
            onInput={(e) => setText(e.currentTarget.value)} onKeyDown={onKeyDown} onPaste={onPaste} />
          {busy ? (
            <IconButton icon="stop" class="primary" label={t("stop")} onClick={() => void turns.stop()} />
          ) : (
            <IconButton icon="send" class="primary" label={t("send")} disabled={text.trim() === "" || tooLong} onClick={send} />
          )}
        </div>
      </div>
    </form>
  );
}
