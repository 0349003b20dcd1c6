// What a composed module keeps to itself, for tests.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The names that the module of a view defines but does not export. */
export async function internals(view, ...names) {
  const text = readFileSync(new URL(`../composed/${view}.js`, import.meta.url), "utf-8");
  const path = join(mkdtempSync(join(tmpdir(), "fnb-units-")), `${view}.mjs`);
  writeFileSync(path, `${text}\nexport { ${names.join(", ")} };\n`);
  return import(pathToFileURL(path));
}
