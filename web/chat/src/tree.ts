// A conversation is a tree: an edited question and another try at an answer are siblings. What is shown is
// the path from the begin to the leaf.
import type { Message } from "./types";

export function pathTo(messages: Message[], leaf: string): Message[] {
  const byId = new Map(messages.map((m) => [m.id, m]));
  const path: Message[] = [];
  for (let at = byId.get(leaf); at && path.length <= messages.length; at = byId.get(at.parent)) path.push(at);
  return path.reverse();
}

export function siblings(messages: Message[], message: Message): Message[] {
  return messages.filter((m) => m.parent === message.parent && m.role === message.role);
}

/** The latest message below `id`, following the newest child at each fork. */
export function latestBelow(messages: Message[], id: string): string {
  let leaf = id;
  for (let i = 0; i <= messages.length; i++) {
    const children = messages.filter((m) => m.parent === leaf);
    if (children.length === 0) break;
    leaf = children.reduce((a, b) => (b.created >= a.created ? b : a)).id;
  }
  return leaf;
}
