// Markdown to safe HTML, block by block: marked writes it, highlight.js colours code, KaTeX sets formulas as MathML,
// DOMPurify removes whatever could run or load something. Pictures become links, so that no answer makes the
// browser call elsewhere.
import DOMPurify from "dompurify";
import { Lexer, Marked, type Token, type Tokens, type TokensList } from "marked";
import { highlighted } from "./highlight";
import { mathExtensions, mathTags } from "./math";
import { t } from "./strings";
import type { Source } from "./types";

export function escape(text: string): string {
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

/** A note below the text, as GPT models write them: `[^1]` and, on a line of its own, `[^1]: the note`. */
const footnotes = [
  {
    name: "footnote",
    level: "block" as const,
    start: (src: string) => src.match(/^\[\^/m)?.index,
    tokenizer(this: { lexer: { inline(src: string, tokens: Token[]): void } }, src: string) {
      const match = /^\[\^([^\]\s]{1,40})\]:[ \t]+([^\n]+)(?:\n|$)/.exec(src);
      if (!match) return undefined;
      const token = { type: "footnote", raw: match[0], mark: match[1]!, tokens: [] as Token[] };
      this.lexer.inline(match[2]!, token.tokens);
      return token;
    },
    renderer(this: { parser: { parseInline(tokens: Token[]): string } }, token: Tokens.Generic) {
      return `<p class="footnote"><sup>${escape(token.mark as string)}</sup> ${this.parser.parseInline(token.tokens!)}</p>`;
    },
  },
  {
    name: "footnote_mark",
    level: "inline" as const,
    start: (src: string) => src.indexOf("[^"),
    tokenizer(src: string) {
      const match = /^\[\^([^\]\s]{1,40})\](?!:)/.exec(src);
      return match ? { type: "footnote_mark", raw: match[0], mark: match[1]! } : undefined;
    },
    renderer: (token: Tokens.Generic) => `<sup class="footnote-mark">${escape(token.mark as string)}</sup>`,
  },
];

/** `**중요(x)**는`: CommonMark closes no emphasis between a sign and a letter, but in Korean a particle follows at once. */
const beforeParticle = {
  name: "strong_before_particle",
  level: "inline" as const,
  start: (src: string) => {
    const at = src.indexOf("*");
    return at < 0 ? undefined : at;
  },
  tokenizer(this: { lexer: { inlineTokens(src: string): Token[] } }, src: string) {
    const match =
      /^(\*{1,2})(?![\s*])((?:`[^`\n]*`|\\[^\n]|[^*\\`\n])*?(?:`[^`\n]+`|[^\s\w*\\\p{L}\p{N}]))\1(?=[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])/u.exec(
        src,
      );
    if (!match) return undefined;
    return { type: match[1] === "**" ? "strong" : "em", raw: match[0], text: match[2]!, tokens: this.lexer.inlineTokens(match[2]!) };
  },
};

/** So many `*` and `_` one paragraph has at most for emphasis; marked looks for the end of each in all that follows. */
const mostMarks = 500;
let lastAsked = { text: "", crowded: false };

function crowded(text: string): boolean {
  if (lastAsked.text !== text) lastAsked = { text, crowded: (text.match(/[*_]+/g)?.length ?? 0) > mostMarks };
  return lastAsked.crowded;
}

/** What a block is rendered with, and what comes of it. */
interface Context {
  cited: Set<number>;
  open: boolean; // the code block that is rendered may still grow
}

function writer(sources: Source[], context: Context): Marked {
  const marked = new Marked({ gfm: true, breaks: true, async: false });
  marked.use({
    extensions: [
      ...footnotes,
      ...mathExtensions,
      beforeParticle,
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
          context.cited.add(index);
          const label = t("open_source", { n: index + 1, name: source.name, place: placeText(source) });
          return `<button type="button" class="cite" data-source="${index}" aria-label="${escape(label)}">${index + 1}</button>`;
        },
      },
    ],
    tokenizer: {
      emStrong: (_, paragraph) => (crowded(paragraph) ? undefined : false), // false: as marked does
    },
    renderer: {
      code({ text, lang }: Tokens.Code) {
        const name = (lang ?? "").split(/\s/)[0]!.toLowerCase();
        // As text, not as an attribute: DOMPurify drops an attribute with `-->` in it, as most diagrams have. Drawn
        // when it is whole: each drawing is a frame with Mermaid in it.
        if (name === "mermaid" && !context.open)
          return `<div class="diagram"><pre tabindex="0" dir="ltr">${escape(text)}</pre></div>`;
        // What is still being written is coloured when it is whole: colouring it all for each word is slow.
        const inner = (context.open ? undefined : highlighted(text, name)) ?? escape(text);
        return (
          `<div class="code"><div class="code-head"><span>${escape(name)}</span>` +
          `<button type="button" class="code-copy" aria-label="${escape(t("copy_code"))}">${escape(t("copy"))}</button></div>` +
          `<pre tabindex="0" dir="ltr"><code class="hljs">${inner}</code></pre></div>`
        );
      },
      link({ href, tokens }: Tokens.Link) {
        return link(href, this.parser.parseInline(tokens));
      },
      image({ href, text }: Tokens.Image) {
        return link(href, escape(t("picture", { name: text || href })));
      },
      html({ text }: Tokens.HTML | Tokens.Tag) {
        // An answer's own HTML is shown, not obeyed, but for what models write where Markdown has no word for it.
        return escape(text).replace(/&lt;(\/?(?:sub|sup)|br) ?\/?&gt;/gi, "<$1>");
      },
      checkbox({ checked }: Tokens.Checkbox) {
        return checked ? "☑ " : "☐ ";
      },
      table(token: Tokens.Table) {
        const cell = (c: Tokens.TableCell, tag: string) =>
          `<${tag}${tag === "th" ? ' scope="col"' : ""}${c.align ? ` class="${c.align}"` : ""}>` +
          `${this.parser.parseInline(c.tokens)}</${tag}>`;
        const head = token.header.map((c) => cell(c, "th")).join("");
        const rows = token.rows.map((row) => `<tr>${row.map((c) => cell(c, "td")).join("")}</tr>`).join("");
        return `<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
      },
    },
  });
  return marked;
}

const blockTags = new Set(["TABLE", "P", "LI", "UL", "OL", "BLOCKQUOTE", "H1", "H2", "H3", "H4", "H5", "H6", "TD", "TH"]);
// Each paragraph runs in the direction of its own first letter.
DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (blockTags.has(node.tagName)) node.setAttribute("dir", "auto");
});

function clean(html: string): string {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: [
      "a", "b", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
      "li", "ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
      ...mathTags,
    ],
    ALLOWED_ATTR: [
      "aria-label", "class", "data-source", "dir", "href", "rel", "scope", "start", "tabindex", "target", "type",
      // MathML
      "accent", "columnalign", "columnspacing", "display", "fence", "height", "linethickness", "lspace", "mathvariant",
      "maxsize", "minsize", "notation", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "width", "xmlns",
    ],
    ALLOW_DATA_ATTR: false,
  });
}

/** Some of the paragraphs, lists, tables, pieces of code… of a text, one behind the other. */
export interface Block {
  html: string;
  cited: number[]; // indexes into the sources, in order of first use
}

/** How much of a long text is parsed at once; a block that is longer is parsed whole. */
const pieceLength = 4_000;

function same(a: Source[], b: Source[]): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/**
 * A text that grows, as blocks. What was written before stays as it is, so that a word more costs as much as the
 * block it belongs to, however long the text is; and a text that comes at once is taken by pieces.
 */
export class Rendering {
  private text = "";
  private parsed = 0; // so much of the text is in `done` and `queue`
  private done: Block[] = [];
  private queue: Token[] = []; // whole blocks that are to be rendered
  private sources: Source[] = [];
  private links: TokensList["links"] = {};
  private defined = ""; // the whole text whose definitions are known
  private context: Context = { cited: new Set(), open: false };
  private marked = writer(this.sources, this.context);

  /**
   * `streaming`: the text may grow. When `milliseconds` are over, what is done is returned and `more` set: the same
   * call goes on.
   */
  update(given: string, sources: Source[], streaming: boolean, milliseconds = Infinity): { blocks: Block[]; more: boolean } {
    const until = performance.now() + milliseconds;
    const text = given.replaceAll(/\r\n?/g, "\n"); // as marked does
    if (!same(sources, this.sources) || !text.startsWith(this.text.slice(0, this.parsed))) this.restart(sources);
    // What a definition at the end says of the beginning is known when all is there.
    if (!streaming && this.defined !== text && /^ {0,3}\[[^\]]+\]:/m.test(text)) {
      this.restart(sources);
      this.lex(text);
      this.defined = text;
    }
    this.text = text;
    for (let length = pieceLength; ; ) {
      while (this.queue.length > 0) {
        // Several at once: much of a block's cost is the sanitizer's, for each call.
        const block = this.render(this.queue.splice(0, 8), false);
        if (block.html !== "") this.done.push(block);
        if (performance.now() > until) return { blocks: [...this.done], more: true };
      }
      const tail = text.slice(this.parsed);
      const cut = tail.length > length;
      // A citation that is still being written would flicker.
      const shown = cut ? tail.slice(0, length) : streaming && sources.length > 0 ? tail.replace(/\[[^\]\n]{0,200}$/, "") : tail;
      const tokens = this.lex(shown);
      // A block is whole when another one has begun behind it.
      const whole = this.take(tokens, cut || streaming ? tokens.findLastIndex((token) => token.type !== "space") : tokens.length);
      if (whole === 0 && !cut) {
        const last = this.render(tokens, streaming);
        return { blocks: last.html === "" ? [...this.done] : [...this.done, last], more: false };
      }
      length = whole > 0 ? pieceLength : length * 2;
    }
  }

  private restart(sources: Source[]): void {
    this.parsed = 0;
    this.done = [];
    this.queue = [];
    this.links = {};
    this.defined = "";
    this.sources = sources;
    this.marked = writer(sources, this.context);
  }
  /** Queues up to `count` tokens, as far as they have the text as it was; says how many. */
  private take(tokens: Token[], count: number): number {
    for (let i = 0; i < count; ++i) {
      const token = tokens[i]!;
      if (!this.text.startsWith(token.raw, this.parsed)) return i; // marked wrote it otherwise: taken with the rest
      this.queue.push(token);
      this.parsed += token.raw.length;
    }
    return Math.max(0, count);
  }
  private lex(text: string): TokensList {
    const lexer = new Lexer(this.marked.defaults);
    Object.assign(lexer.tokens.links, this.links);
    const tokens = lexer.lex(text);
    this.links = tokens.links;
    return tokens;
  }
  /** `growing`: the last token may be longer next time. */
  private render(tokens: Token[], growing: boolean): Block {
    const shown = tokens.filter((token) => token.type !== "space" && token.type !== "def");
    if (shown.length === 0) return { html: "", cited: [] };
    this.context.cited.clear();
    this.context.open = growing && shown.at(-1)!.type === "code";
    const html = this.marked.parser(shown);
    return { html: clean(html), cited: [...this.context.cited] };
  }
}
