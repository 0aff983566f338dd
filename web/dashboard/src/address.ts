// Choices kept in the address, so that a link or a reload shows the same: #usage?range=24h&per=team.
import { effect, signal, type Signal } from "@preact/signals";

interface Choice {
  value: Signal<string>;
  initial: string;
  allowed?: readonly string[];
}
const choices = new Map<string, Choice>();

/** "#usage?a=b" → "usage" and its choices. */
export function readAddress(hash: string): { view: string; chosen: URLSearchParams } {
  const [view = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  return { view, chosen: new URLSearchParams(query) };
}

/** The address of a view with the choices that are not what they are at first. */
export function writeAddress(view: string, chosen: Iterable<[name: string, value: string, initial: string]>): string {
  const query = new URLSearchParams();
  for (const [name, value, initial] of chosen) if (value !== initial) query.set(name, value);
  const text = query.toString();
  return `#${view}${text ? `?${text}` : ""}`;
}

function take(name: string, choice: Choice): void {
  const told = readAddress(location.hash).chosen.get(name);
  const good = told !== null && (!choice.allowed || choice.allowed.includes(told));
  choice.value.value = good ? told : choice.initial;
}

/** A choice by this name; the same one each time. What the address says and is not allowed is not taken. */
export function choice<T extends string>(name: string, initial: T, allowed?: readonly T[]): Signal<T> {
  let known = choices.get(name);
  if (!known) {
    known = { value: signal<string>(initial), initial, allowed };
    choices.set(name, known);
    take(name, known);
  }
  return known.value as unknown as Signal<T>;
}

/** From now on the address follows the choices. Those of other views stay in it: they are few. */
export function followAddress(view: Signal<string>): void {
  addEventListener("hashchange", () => {
    // A link to a bare view keeps what was chosen.
    if (location.hash.includes("?")) for (const [name, known] of choices) take(name, known);
  });
  effect(() => {
    const wanted = writeAddress(
      view.value,
      [...choices].map(([name, c]) => [name, c.value.value, c.initial] as [string, string, string]),
    );
    if (location.hash !== wanted && (location.hash || wanted !== "#live")) history.replaceState(null, "", wanted);
  });
}
