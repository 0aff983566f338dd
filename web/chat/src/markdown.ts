// Markdown to safe HTML: marked writes it, highlight.js colours code, DOMPurify removes whatever could run
// or load something. Pictures become links, so that no answer makes the browser call elsewhere.
import DOMPurify from "dompurify";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { Marked, type Tokens } from "marked";
import { t } from "./strings";
import type { Source } from "./types";

const languages = {
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, kotlin, markdown, python, rust, sql,
  typescript, xml, yaml,
};
for (const [name, grammar] of Object.entries(languages)) hljs.registerLanguage(name, grammar);

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function safeAddress(href: string): string | undefined {
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined; // relative: it would lead into this app
  }
}

function link(href: string, inner: string): string {
  const address = safeAddress(href);
  if (!address) return inner;
  return `<a href="${escape(address)}" target="_blank" rel="noopener noreferrer nofollow">${inner}</a>`;
}

export function placeText(source: Source): string {
  return source.page > 0 ? t("page_n", { n: source.page }) : t("line_n", { n: source.line });
}

/** The source that a citation names, by its marker or by its document alone. */
export function findSource(sources: Source[], cited: string): number {
  const exact = sources.findIndex((s) => s.marker === cited.trim());
  return exact >= 0 ? exact : sources.findIndex((s) => s.name === cited.trim());
}

function writer(sources: Source[], cited: Set<number>): Marked {
  const marked = new Marked({ gfm: true, breaks: true, async: false });
  marked.use({
    extensions: [
      {
        name: "citation",
        level: "inline",
        start: (src: string) => src.indexOf("["),
        tokenizer(src: string) {
          const match = /^\[([^[\]\n]{1,200})\](?!\()/.exec(src);
          if (!match) return undefined;
          const index = findSource(sources, match[1]!);
          return index < 0 ? undefined : { type: "citation", raw: match[0], index };
        },
        renderer(token: Tokens.Generic) {
          const index = token.index as number;
          const source = sources[index]!;
          cited.add(index);
          const label = t("open_source", { n: index + 1, name: source.name, place: placeText(source) });
          return `<button type="button" class="cite" data-source="${index}" aria-label="${escape(label)}">${index + 1}</button>`;
        },
      },
    ],
    renderer: {
      code({ text, lang }: Tokens.Code) {
        const name = (lang ?? "").split(/\s/)[0]!.toLowerCase();
        const known = name !== "" && hljs.getLanguage(name) !== undefined;
        const inner = known ? hljs.highlight(text, { language: name, ignoreIllegals: true }).value : escape(text);
        return (
          `<div class="code"><div class="code-head"><span>${escape(name)}</span>` +
          `<button type="button" class="code-copy" aria-label="${escape(t("copy_code"))}">${escape(t("copy"))}</button></div>` +
          `<pre tabindex="0"><code class="hljs">${inner}</code></pre></div>`
        );
      },
      link({ href, tokens }: Tokens.Link) {
        return link(href, this.parser.parseInline(tokens));
      },
      image({ href, text }: Tokens.Image) {
        return link(href, escape(t("picture", { name: text || href })));
      },
      html({ text }: Tokens.HTML | Tokens.Tag) {
        return escape(text); // an answer's own HTML is shown, not obeyed
      },
      checkbox({ checked }: Tokens.Checkbox) {
        return checked ? "☑ " : "☐ ";
      },
      table(token: Tokens.Table) {
        const cell = (c: Tokens.TableCell, tag: string) =>
          `<${tag}${tag === "th" ? ' scope="col"' : ""}>${this.parser.parseInline(c.tokens)}</${tag}>`;
        const head = token.header.map((c) => cell(c, "th")).join("");
        const rows = token.rows.map((row) => `<tr>${row.map((c) => cell(c, "td")).join("")}</tr>`).join("");
        return `<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
      },
    },
  });
  return marked;
}

export interface Rendered {
  html: string;
  cited: number[]; // indexes into the sources, in order of first use
}

export function render(text: string, sources: Source[], streaming: boolean): Rendered {
  // A citation that is still being written would flicker.
  const shown = streaming && sources.length > 0 ? text.replace(/\[[^\]\n]{0,200}$/, "") : text;
  const cited = new Set<number>();
  const html = writer(sources, cited).parse(shown) as string;
  const clean = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: [
      "a", "b", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
      "li", "ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
    ],
    ALLOWED_ATTR: ["aria-label", "class", "data-source", "href", "rel", "scope", "start", "tabindex", "target", "type"],
    ALLOW_DATA_ATTR: false,
  });
  return { html: clean, cited: [...cited] };
}
