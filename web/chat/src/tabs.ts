// Tabs of one browser tell each other what changed, so that none shows what is no longer so.
const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("spillway-chat");

function nameOfTab(): string {
  const key = "spillway.tab";
  const fresh = Math.random().toString(36).slice(2);
  try {
    const kept = sessionStorage.getItem(key); // it stays over a reload
    if (!kept) sessionStorage.setItem(key, fresh);
    return kept ?? fresh;
  } catch {
    return fresh;
  }
}
/** This tab's name among those of the browser. */
export const tab = nameOfTab();

const roll = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("spillway-tabs");
const present = new Set<string>();
roll?.addEventListener("message", ({ data }: MessageEvent<string>) => {
  if (data === "who") roll.postMessage(tab);
  else present.add(data);
});

/** The other tabs that answer within a moment. */
export async function otherTabs(): Promise<ReadonlySet<string>> {
  present.clear();
  roll?.postMessage("who");
  await new Promise((done) => setTimeout(done, 200));
  return present;
}

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
