// Light, dark or as the system is. The choice is kept in the browser.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const stored = "spillway.theme";

function initial(): Theme {
  const kept = localStorage.getItem(stored);
  return kept === "light" || kept === "dark" ? kept : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export const theme = signal<Theme>(initial());
apply(theme.value);

export function setTheme(next: Theme): void {
  theme.value = next;
  localStorage.setItem(stored, next);
  apply(next);
}
