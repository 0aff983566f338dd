// Formulas: $…$, $$…$$, \(…\) and \[…\], set by KaTeX as MathML, which needs no fonts and no styles of its own. KaTeX is
// loaded when the first formula comes; until then its source is shown.
import { signal } from "@preact/signals";
import type { Tokens } from "marked";

type Katex = typeof import("katex").default;

/** Changes when formulas can be set. */
export const mathReady = signal(false);
let katex: Katex | undefined;
let loading: Promise<void> | undefined;

function load(): void {
  loading ??= import("katex").then((module) => {
    katex = module.default;
    mathReady.value = true;
  });
  loading.catch(() => (loading = undefined)); // offline: the next formula tries again
}

export const mathTags = [
  "math", "menclose", "merror", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace",
  "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
];

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

export function formula(source: string, display: boolean): string {
  const tag = display ? "div" : "span";
  const wrap = (inner: string) => `<${tag} class="math" dir="ltr">${inner}</${tag}>`;
  if (!katex) {
    load();
    return wrap(`<code>${escape(source)}</code>`);
  }
  const html = katex.renderToString(source, { displayMode: display, output: "mathml", throwOnError: false, maxExpand: 200,
    maxSize: 20, strict: false, trust: false }); // prettier-ignore
  // The source beside the formula is for other programs, and what the sanitizer takes away.
  return wrap(html.replace(/<annotation[^>]*>[\s\S]*?<\/annotation>/g, "").replace(/<\/?semantics>| style="[^"]*"/g, ""));
}

// "It costs $5 and then $6" is no formula, nor is "revenue ($) and total ($)": the first $ is followed by no space and
// no sign that ends something, the last one follows no space and no bracket, and no digit comes behind it.
const inlineRules = [
  /^\$\$([^\n]+?)\$\$/,
  /^\$(?![\s$),.;:])((?:\\[\s\S]|[^\\$\n`])*?[^\\\s$`(])\$(?!\d)/,
  /^\\\(([\s\S]+?)\\\)/,
  /^\\\[([\s\S]+?)\\\]/,
];
const blockRules = [
  /^ {0,3}\$\$([\s\S]+?)\$\$[ \t]*(?:\n|$)/,
  /^ {0,3}\\\[([\s\S]+?)\\\][ \t]*(?:\n|$)/,
  /^ {0,3}(\\begin\{((?:align|equation|gather)\*?)\}[\s\S]+?\\end\{\2\})[ \t]*(?:\n|$)/,
];

function firstOf(src: string, marks: RegExp): number | undefined {
  const at = src.search(marks);
  return at < 0 ? undefined : at;
}

export const mathExtensions = [
  {
    name: "math_block",
    level: "block" as const,
    start: (src: string) => firstOf(src, /^ {0,3}(\$\$|\\\[|\\begin\{)/m),
    tokenizer(src: string) {
      for (const rule of blockRules) {
        const match = rule.exec(src);
        if (match) return { type: "math_block", raw: match[0], source: match[1]!.trim() };
      }
      return undefined;
    },
    renderer: (token: Tokens.Generic) => formula(token.source as string, true),
  },
  {
    name: "math",
    level: "inline" as const,
    start: (src: string) => firstOf(src, /\$|\\[([]/),
    tokenizer(src: string) {
      for (const rule of inlineRules) {
        const match = rule.exec(src);
        if (match) return { type: "math", raw: match[0], source: match[1]!.trim() };
      }
      return undefined;
    },
    renderer: (token: Tokens.Generic) => formula(token.source as string, false),
  },
];
