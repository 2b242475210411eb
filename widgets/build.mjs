// Builds the widgets into kernelmodel/notebook/static/ (or, with --tests, the tests into build/).
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const folder = new URL(".", import.meta.url).pathname;
const tests = process.argv.includes("--tests");
const inputs = tests
  ? readdirSync(`${folder}test`).map((name) => `${folder}test/${name}`)
  : ["live_panel", "graph", "playground", "summary"].flatMap((name) => [`${folder}src/${name}.ts`, `${folder}src/${name}.css`]);

await build({
  entryPoints: inputs,
  outdir: tests ? `${folder}build` : `${folder}../kernelmodel/notebook/static`,
  outExtension: tests ? { ".js": ".mjs" } : {},
  bundle: true,
  minify: !tests,
  format: "esm",
  platform: tests ? "node" : "browser",
  target: tests ? "node20" : "es2021",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
});
