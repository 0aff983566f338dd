// Files on their way into a conversation.
import { signal } from "@preact/signals";
import { api } from "./api";
import { announce, asFailure, current, documents, ensureConversation, session, showTrouble } from "./state";
import { has, t } from "./strings";
import { tell } from "./tabs";

export interface Upload {
  id: number;
  conversation: string;
  name: string;
  stage: "sending" | "reading" | "embedding" | "waiting" | "failed" | "notice";
  done: number;
  total: number;
  wait: number;
  why: string;
  stop: AbortController;
}
export const uploads = signal<Upload[]>([]);

/** What is taken, as a file picker wants it. */
export const accepted = ".pdf,.md,.markdown,.txt,.csv,.tsv,.json,.log,.rst,.yaml,.yml,.xml,text/plain,application/pdf";

type Kind = "office" | "picture" | "page" | "mail" | "archive" | "sound";
const kinds: Record<Kind, RegExp> = {
  office: /\.(docx?|xlsx?|pptx?|od[tsp]|hwpx?|rtf|pages|numbers|key)$/i,
  picture: /\.(png|jpe?g|gif|webp|bmp|tiff?|heic|svg)$/i,
  page: /\.(html?|mht)$/i,
  mail: /\.(eml|msg)$/i,
  archive: /\.(zip|7z|rar|gz|tgz|tar)$/i,
  sound: /\.(mp3|wav|m4a|mp4|mov|webm|ogg|avi)$/i,
};

/** What kind of file it is that is not taken; undefined when it may be. */
export function untakenKind(name: string, type = ""): Kind | undefined {
  if (type.startsWith("image/")) return "picture";
  return (Object.keys(kinds) as Kind[]).find((kind) => kinds[kind].test(name));
}

/** Why a file was refused, in the page's language where the server's code is known. */
function refusalText(code: string | undefined, message: string): string {
  const key = `file_${code ?? ""}`;
  return has(key) ? t(key, { taken: t("files_taken") }) : message;
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
    { id, conversation, name, stage: "sending", done: 0, total: 1, wait: 0, why: "", stop },
  ];
  const kind = untakenKind(name, file.type);
  if (kind) {
    changeUpload(id, { stage: "failed", why: t(`untaken_${kind}`, { taken: t("files_taken") }) });
    return;
  }
  const most = session.value?.max_upload_bytes ?? Infinity;
  if (file.size > most) {
    changeUpload(id, { stage: "failed", why: t("too_large", { n: Math.floor(most / 1048576) }) });
    return;
  }
  try {
    for await (const event of api.upload(conversation, file, stop.signal)) {
      if (event.type === "progress")
        changeUpload(id, { stage: event.stage, done: event.done, total: event.total, wait: event.wait_ms });
      else if (event.type === "error") changeUpload(id, { stage: "failed", why: refusalText(event.code, event.message) });
      else if (event.type === "document") {
        if (current.value === conversation) documents.value = [...documents.value, event.document];
        if (event.trouble) changeUpload(id, { stage: "notice", why: event.trouble });
        else uploads.value = uploads.value.filter((u) => u.id !== id);
        tell({ kind: "conversation", id: conversation });
        announce(t("open_document", { name: event.document.name }));
      }
    }
  } catch (error) {
    if (stop.signal.aborted) return;
    const failure = asFailure(error);
    const key = `error_${failure.kind}`;
    changeUpload(id, { stage: "failed", why: has(key) ? t(key) : failure.message });
  }
}
