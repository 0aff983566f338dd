// Colours for code. The languages that are asked for most are here; the others come when one is used.
import { signal } from "@preact/signals";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import csharp from "highlight.js/lib/languages/csharp";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import yaml from "highlight.js/lib/languages/yaml";

for (const [name, grammar] of Object.entries({ bash, csharp, javascript, json, python, sql, typescript, yaml }))
  hljs.registerLanguage(name, grammar);

/** Changes when more can be coloured than before. */
export const languagesKnown = signal(0);
let more: Promise<void> | undefined;

function loadMore(): void {
  more ??= import("./languages").then(({ languages }) => {
    for (const [name, grammar] of Object.entries(languages)) hljs.registerLanguage(name, grammar);
    languagesKnown.value++;
  });
  more.catch(() => (more = undefined)); // offline: the next one tries again
}

/** `text` in colours, as HTML; undefined when the language is not known (yet). */
export function highlighted(text: string, language: string): string | undefined {
  if (language === "") return undefined;
  if (!hljs.getLanguage(language)) {
    if (languagesKnown.value === 0) loadMore();
    return undefined;
  }
  return hljs.highlight(text, { language, ignoreIllegals: true }).value;
}
