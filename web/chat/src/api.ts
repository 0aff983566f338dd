// Requests to the chat server.
import { ownPage, partsOf, refusalOf } from "../../shared/answer";
import type { Conversation, Document, Failure, Message, Session, Settings, TurnEvent, UploadEvent } from "./types";

export class ApiError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

// The chat server's own refusals; the model's come as `error` events of a turn, in kinds of their own.
const ownKinds: Record<string, string> = {
  not_found: "gone",
  not_yours: "not_yours",
  no_session: "no_session",
  parent_not_found: "parent_gone",
  turn_running: "turn_running",
};

async function refusal(answer: Response): Promise<ApiError> {
  const { message, code } = await refusalOf(answer);
  return new ApiError({ kind: ownKinds[code] ?? "chat_server", message, code, status: answer.status });
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? ownPage : { ...ownPage, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ kind: "offline", message: String(error) });
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await send(method, path, body)).json() as Promise<T>;
}

/** The answer's lines, each a JSON value. Fails with `cut` when it ends before its `end` line. */
async function* lines<T extends { type: string }>(answer: Response): AsyncGenerator<T> {
  try {
    for await (const part of partsOf(answer, "\n")) {
      if (!part) continue;
      const event = JSON.parse(part) as T;
      yield event;
      if (event.type === "end") return;
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError({ kind: "cut", message: String(error) });
  }
  throw new ApiError({ kind: "cut", message: "the connection ended" });
}

export const api = {
  session: () => json<Session>("POST", "api/session", {}),
  saveSettings: (settings: Partial<Settings>) => json<Settings>("PUT", "api/settings", settings),
  conversations: async () =>
    (await json<{ conversations: Conversation[] }>("GET", "api/conversations")).conversations,
  create: () => json<Conversation>("POST", "api/conversations", {}),
  removeAll: () => json("DELETE", "api/conversations"),
  open: (id: string) =>
    json<{ conversation: Conversation; messages: Message[]; documents: Document[]; running: boolean }>(
      "GET",
      `api/conversations/${id}`,
    ),
  change: (id: string, what: { title?: string; leaf?: string }) =>
    json("PATCH", `api/conversations/${id}`, what),
  remove: (id: string) => json("DELETE", `api/conversations/${id}`),
  removeDocument: (id: string) => json("DELETE", `api/documents/${id}`),
  pageText: async (id: string, page: number) =>
    (await json<{ text: string }>("GET", `api/documents/${id}/pages/${page}`)).text,

  async *turn(
    id: string,
    what: { parent: string; text?: string },
    signal: AbortSignal,
  ): AsyncGenerator<TurnEvent> {
    yield* lines<TurnEvent>(await send("POST", `api/conversations/${id}/turns`, what, signal));
  },

  /** The turn that runs in the conversation, from its event number `after` on. */
  async *follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<TurnEvent> {
    yield* lines<TurnEvent>(await send("GET", `api/conversations/${id}/turn?after=${after}`, undefined, signal));
  },

  stop: (id: string) => json("DELETE", `api/conversations/${id}/turn`),

  async *upload(id: string, file: File, signal: AbortSignal): AsyncGenerator<UploadEvent> {
    const answer = await fetch(`api/conversations/${id}/documents?name=${encodeURIComponent(file.name)}`, {
      method: "POST",
      headers: { ...ownPage, "content-type": "application/octet-stream" },
      body: file,
      signal,
    });
    if (!answer.ok) throw await refusal(answer);
    yield* lines<UploadEvent>(answer);
  },
};
