// How full the limits are: of backends' quotas, and of clients.
import type { Backend, Client, Limit } from "./types";

/** What a quota grants in one of its windows, which may be shorter than the minute it is told by. */
export function perWindow(perMinute: number | null, windowSeconds: number): number | null {
  if (perMinute === null || perMinute <= 0) return null;
  return windowSeconds > 0 ? (perMinute * windowSeconds) / 60 : perMinute;
}

/** Share of a window's quota that is used, 0 to 1; nothing when one of the two is not known. */
export function usedShare(perMinute: number | null, windowSeconds: number, remaining: number | null): number | null {
  const limit = perWindow(perMinute, windowSeconds);
  if (limit === null || remaining === null) return null;
  return Math.min(1, Math.max(0, 1 - remaining / limit));
}

/** The fullest of a backend's deployments. */
export function fullest(backend: Backend, of: "tokens" | "requests"): number | null {
  let most: number | null = null;
  for (const d of backend.deployments) {
    const share =
      of === "tokens"
        ? usedShare(d.tpm, d.tokens_window_seconds, d.remaining_tokens)
        : usedShare(d.rpm, d.requests_window_seconds, d.remaining_requests);
    if (share !== null && (most === null || share > most)) most = share;
  }
  return most;
}

export const limitNames = [
  "tokens_per_minute",
  "requests_per_minute",
  "concurrency",
  "tokens_hour",
  "budget_hour",
  "tokens_day",
  "budget_day",
  "tokens_week",
  "budget_week",
  "tokens_month",
  "budget_month",
] as const satisfies readonly (keyof Client)[];
export type LimitName = (typeof limitNames)[number];

export interface Fill extends Limit {
  name: LimitName;
  share: number;
}

/** All limits that are set for a client, the fullest first. */
export function limitsOf(client: Client): Fill[] {
  return limitNames
    .flatMap((name): Fill[] => {
      const limit = client[name];
      return limit ? [{ ...limit, name, share: limit.limit > 0 ? limit.used / limit.limit : 1 }] : [];
    })
    .sort((a, b) => b.share - a.share);
}
