// Builds one page: node build.mjs PAGE OUT_FOLDER. PAGE is a folder beside this file with an index.html. Every
// file made is left compressed (FILE.gz), as the program embeds it.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
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

let total = 0;
for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const packed = gzipSync(await readFile(path), { level: 9 });
  await writeFile(`${path}.gz`, packed);
  await rm(path);
  total += packed.length;
}
console.log(`    ${page}: ${Math.round(total / 1024)} KiB compressed`);
