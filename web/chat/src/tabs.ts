// Tabs of one browser tell each other what changed, so that none shows what is no longer so.
const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("spillway-chat");

export type Change =
  | { kind: "list" } // the list of conversations
  | { kind: "conversation"; id: string } // messages or documents of one; asked or answered
  | { kind: "removed"; id: string };

export function tell(change: Change): void {
  channel?.postMessage(change);
}

export function onChange(handler: (change: Change) => void): void {
  channel?.addEventListener("message", (event) => handler(event.data as Change));
}
