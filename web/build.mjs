// Builds one page: node build.mjs PAGE OUT_FOLDER. PAGE is a folder beside this file with an index.html. Every
// file made is left compressed (FILE.gz), as the program embeds it.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const [page, out] = process.argv.slice(2);
if (!page || !out) {
  console.error("usage: node build.mjs PAGE OUT_FOLDER");
  process.exit(2);
}
const here = fileURLToPath(new URL(".", import.meta.url));
const outDir = resolve(out);

await build({
  configFile: false,
  root: join(here, page),
  base: "./",
  logLevel: "warn",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});

// What is shown in a frame of its own is one file each, with its scripts inside.
for (const entry of await readdir(join(here, page, "sandbox")).catch(() => [])) {
  const text = await readFile(join(here, page, "sandbox", entry), "utf8");
  const parts = text.split(/<!-- script: (\S+) -->/);
  for (let i = 1; i < parts.length; i += 2) {
    const script = await readFile(join(here, "node_modules", parts[i]), "utf8");
    parts[i] = `<script>${script.replaceAll("</script", "<\\/script")}</script>`;
  }
  await mkdir(join(outDir, "sandbox"), { recursive: true });
  await writeFile(join(outDir, "sandbox", entry), parts.join(""));
}

const kib = (bytes) => `${Math.round(bytes / 1024)} KiB`;
// What index.html names; the rest is loaded when it is needed.
const first = new RegExp(
  ["index.html", ...(await readFile(join(outDir, "index.html"), "utf8")).matchAll(/assets\/[\w.-]+/g)]
    .map((name) => `${String(name).replaceAll(".", "\\.")}$`)
    .join("|"),
);
let total = 0;
let atFirst = 0;
for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const packed = gzipSync(await readFile(path), { level: 9 });
  await writeFile(`${path}.gz`, packed);
  await rm(path);
  total += packed.length;
  if (first.test(path)) atFirst += packed.length;
}
console.log(`    ${page}: ${kib(total)} compressed, ${kib(atFirst)} of it at first`);
