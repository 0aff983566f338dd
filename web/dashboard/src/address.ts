// Choices kept in the address, so that a link or a reload shows the same: #usage?range=24h&per=team.
import { effect, signal, type Signal } from "@preact/signals";

interface Choice {
  value: Signal<string>;
  initial: string;
  allowed?: readonly string[];
}
const choices = new Map<string, Choice>();
/** How many there are: views bring theirs when they are first shown. */
const known = signal(0);

/** "#usage?a=b" → "usage" and its choices. */
export function readAddress(hash: string): { view: string; chosen: URLSearchParams } {
  const [view = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  return { view, chosen: new URLSearchParams(query) };
}

/** The address of a view with the choices that are not what they are at first, and `others` as they are. */
export function writeAddress(
  view: string,
  chosen: Iterable<[name: string, value: string, initial: string]>,
  others: Iterable<[name: string, value: string]> = [],
): string {
  const query = new URLSearchParams([...others]);
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
  let one = choices.get(name);
  if (!one) {
    one = { value: signal<string>(initial), initial, allowed };
    choices.set(name, one);
    take(name, one);
    known.value = choices.size;
  }
  return one.value as unknown as Signal<T>;
}

/** From now on the address follows the choices. Those of other views stay in it: they are few. So do those of
 *  views that were not shown yet. */
export function followAddress(view: Signal<string>): void {
  addEventListener("hashchange", () => {
    // A link to a bare view keeps what was chosen.
    if (location.hash.includes("?")) for (const [name, one] of choices) take(name, one);
  });
  effect(() => {
    void known.value; // so that a new choice is followed, too
    const wanted = writeAddress(
      view.value,
      [...choices].map(([name, c]) => [name, c.value.value, c.initial] as [string, string, string]),
      [...readAddress(location.hash).chosen].filter(([name]) => !choices.has(name)),
    );
    if (location.hash !== wanted && (location.hash || wanted !== "#live")) history.replaceState(null, "", wanted);
  });
}
