// Requests to the admin plane. The token is kept for this tab only.
import { ownPage, partsOf, refusalOf, type Problem } from "../../shared/answer";
import type { Asked } from "./keys";
import type { Client, Configuration, Frame, Key, ModeChange, Session, UsageRow } from "./types";

const stored = "spillway.admin.token";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Problem[] = [],
  ) {
    super(message);
  }
}

export function token(): string {
  return sessionStorage.getItem(stored) ?? "";
}
export function keepToken(value: string): void {
  if (value) sessionStorage.setItem(stored, value);
  else sessionStorage.removeItem(stored);
}

async function send(path: string, method = "GET", { signal, asked }: { signal?: AbortSignal; asked?: Asked } = {}) {
  const kept = token();
  const answer = await fetch(path, {
    method,
    headers: {
      ...ownPage,
      ...(kept && { authorization: `Bearer ${kept}` }),
      ...(asked && { "content-type": "application/json" }),
    },
    body: asked && JSON.stringify(asked),
    cache: "no-store",
    signal,
  });
  if (answer.ok) return answer;
  const { message, code, problems } = await refusalOf(answer);
  throw new ApiError(answer.status, code, message, problems);
}

async function sendKey(path: string, method: string, asked?: Asked): Promise<Key> {
  return (await send(`api/keys${path}`, method, { asked })).json() as Promise<Key>;
}

export const api = {
  session: async () => (await send("api/session")).json() as Promise<Session>,
  logOut: async () => {
    await send("logout", "POST");
  },
  config: async () => (await send("api/config")).json() as Promise<Configuration>,
  usage: async (query: Record<string, string>) =>
    ((await (await send(`api/usage?${new URLSearchParams(query)}`)).json()) as { usage: UsageRow[] }).usage,
  change: async (backend: string, verb: "drain" | "disable" | "enable") =>
    (await send(`api/backends/${encodeURIComponent(backend)}/${verb}`, "POST")).json() as Promise<ModeChange>,

  /** A page of clients, users and teams. */
  clients: async (after?: string) =>
    (await send(`api/clients?${new URLSearchParams({ limit: "1000", ...(after && { after }) })}`)).json() as Promise<{
      clients: Client[];
      next?: string;
    }>,

  /** As text: what has not changed need not be read. */
  keys: async () => (await send("api/keys")).text(),
  makeKey: (asked: Asked) => sendKey("", "POST", asked),
  changeKey: (id: string, asked: Asked) => sendKey(`/${id}`, "PATCH", asked),
  rotateKey: (id: string, asked: Asked) => sendKey(`/${id}/rotate`, "POST", asked),
  revokeKey: (id: string) => sendKey(`/${id}`, "DELETE"),
  importKeys: async (keys: unknown[]) =>
    ((await (await send("api/keys/import", "POST", { asked: { keys } })).json()) as { imported: number }).imported,

  /** Server-sent events (WHATWG HTML, 9.2) by fetch(), since an EventSource cannot send a token. */
  async *events(signal: AbortSignal): AsyncGenerator<Frame> {
    const answer = await send("api/events", "GET", { signal });
    for await (const event of partsOf(answer, "\n\n"))
      if (event.startsWith("data: "))
        yield { ...(JSON.parse(event.slice(6)) as Omit<Frame, "at">), at: performance.now() };
  },
};
