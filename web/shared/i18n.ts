// Interface texts in two languages. A page defines its texts once, English and Korean side by side.
import { signal } from "@preact/signals";

export type Language = "en" | "ko";
export type Texts = Record<string, readonly [en: string, ko: string]>;

const stored = "spillway.language";

function initial(): Language {
  const kept = localStorage.getItem(stored);
  if (kept === "en" || kept === "ko") return kept;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export const language = signal<Language>(initial());
document.documentElement.lang = language.value;

export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem(stored, next);
  document.documentElement.lang = next;
}

/** A look-up function for a page's texts; `{name}` in a text is replaced by the value given for it. */
export function translator<T extends Texts>(texts: T) {
  return (key: keyof T, values: Record<string, string | number> = {}): string => {
    const text = texts[key]![language.value === "ko" ? 1 : 0];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(language.value).format(value);
}

export function formatDay(milliseconds: number): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium" }).format(milliseconds);
}

export function formatDate(milliseconds: number): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }).format(milliseconds);
}
