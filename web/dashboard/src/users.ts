// The users of clients: there may be very many, so that they are no part of the picture of each second.
import { signal } from "@preact/signals";
import { api, ApiError } from "./api";
import type { Client } from "./types";

/** How many are read at most; whoever looks for one of more asks /api/clients or the ledger. */
const most = 2_000;

export const users = signal<Client[]>([]);
/** Are there more than were read? */
export const moreUsers = signal(false);

async function read(): Promise<void> {
  const found: Client[] = [];
  let after: string | undefined;
  do {
    const page = await api.clients(after);
    found.push(...page.clients.filter((c) => c.kind === "user"));
    after = page.next;
  } while (after && found.length < most);
  users.value = found;
  moreUsers.value = after !== undefined;
}

/** Reads them again and again, the more rarely the longer it takes; returns what ends that. */
export function followUsers(): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = async (): Promise<void> => {
    const began = performance.now();
    try {
      if (!document.hidden) await read();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) users.value = [];
    }
    if (!over) timer = setTimeout(() => void again(), Math.max(2_000, 20 * (performance.now() - began)));
  };
  void again();
  return () => {
    over = true;
    clearTimeout(timer);
    users.value = [];
  };
}
