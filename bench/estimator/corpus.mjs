// Chat requests with real text and the tokens they truly take, a JSON line each:
//   node corpus.mjs GUIDE SOURCES > requests.jsonl
// GUIDE: Debian's installation guide, unpacked: the same text in many languages. SOURCES: a folder with code.
// Tokens are those of o200k_base (gpt-4o), with what the chat template adds (OpenAI cookbook, "How to count
// tokens": 3 for each message and its role, 3 to prime the answer).
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Tiktoken } from "js-tiktoken/lite";
import o200k from "js-tiktoken/ranks/o200k_base";

const [guide, sources] = process.argv.slice(2);
const languages = {
  English: "en",
  German: "de",
  French: "fr",
  Vietnamese: "vi",
  Russian: "ru",
  Korean: "ko",
  Japanese: "ja",
  Chinese: "zh_CN",
};
const perText = 300;
const system = "You are a helpful assistant.";
const encoder = new Tiktoken(o200k);

// Mulberry32: the same requests every time.
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const entities = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

function paragraphs(html) {
  return html
    .replace(/^[\s\S]*?<body[^>]*>/, "")
    .replace(/<div class="nav(header|footer)">[\s\S]*?<\/div>/g, "")
    .replace(/\s+/g, " ")
    .replace(/<(\/(p|div|li|dt|dd|tr|h\d|pre|title)|br)[^>]*>/g, "\n")
    .replace(/<[^>]*>/g, "")
    .replace(/&#(x?)([0-9a-f]+);/gi, (_, hex, code) => String.fromCodePoint(parseInt(code, hex ? 16 : 10)))
    .replace(/&(\w+);/g, (all, name) => entities[name] ?? all)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.length > 0);
}

function pages(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".html"))
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .filter((text) => !text.includes("END OF TERMS AND CONDITIONS")) // the licence is in English everywhere
    .flatMap(paragraphs);
}

function code(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".cpp"))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
}

/// Some lines that follow one another, about 600 characters of them, widely spread.
function passage(lines, random) {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const wanted = Math.min(6000, Math.max(40, Math.round(600 * Math.exp(0.8 * normal))));
  let at = Math.floor(random() * lines.length);
  let text = "";
  for (let taken = 0; text.length < wanted && taken < lines.length; ++taken, at = (at + 1) % lines.length)
    text += (text ? "\n" : "") + lines[at];
  return Array.from(text).slice(0, wanted).join("");
}

function count(messages) {
  const one = (m) => 3 + encoder.encode(m.role).length + encoder.encode(m.content, [], []).length;
  return messages.reduce((sum, m) => sum + one(m), 3);
}

const texts = Object.entries(languages).map(([name, folder]) => [name, pages(join(guide, folder))]);
texts.push(["C++", code(sources)]);
for (const [text, lines] of texts) {
  const random = generator(lines.length);
  for (let i = 0; i < perText; ++i) {
    const messages = [
      { role: "system", content: system },
      { role: "user", content: passage(lines, random) },
    ];
    const body = JSON.stringify({ model: "gpt-4o", messages });
    console.log(JSON.stringify({ text, tokens: count(messages), body }));
  }
}
