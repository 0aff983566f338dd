// Who has logged in by the provider (admin.oidc), or with a token; and the way to the provider and back.
import { signal } from "@preact/signals";
import { api } from "./api";
import type { Session } from "./types";

/** Nothing: not asked yet. */
export const session = signal<Session | null>(null);

/** What the gateway takes (identity/login_flow.hpp). */
const longestReturn = 2000;

/** Where the log-in is, and where it leads back to: this address, with its view and choices. */
export function logInAddress(at: { search: string; hash: string }): string {
  const back = `/${at.search}${at.hash}`;
  return `login?return=${encodeURIComponent(back.length > longestReturn ? "/" : back)}`;
}

export async function readSession(): Promise<void> {
  try {
    session.value = await api.session();
  } catch {
    // Whoever asks next tries again.
  }
}

export async function endSession(): Promise<void> {
  if (session.value?.by !== "oidc") return;
  await api.logOut();
}
