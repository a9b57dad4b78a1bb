// Builds what the pages need into web/static/vendor/: one stylesheet, four scripts, their licences.
// Everything refers to its neighbours by relative address, so that the folder can be served anywhere.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { compile } from "sass";

const assets = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(assets, "../..");
const modules = path.join(root, "node_modules");
const vendor = path.join(root, "web/static/vendor");

const copies = {
  "nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.js": "nhsuk-frontend.min.js",
  "htmx.org/dist/htmx.min.js": "htmx.min.js",
  "htmx.org/dist/ext/hx-csp.min.js": "hx-csp.min.js",
  "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.min.js",
  "htmx.org/LICENSE": "htmx.LICENCE.txt",
};

rmSync(vendor, { recursive: true, force: true });
mkdirSync(vendor, { recursive: true });

const { css } = compile(path.join(assets, "lamplight.scss"), {
  loadPaths: [modules],
  quietDeps: true,
  style: "compressed",
});
// The stylesheet may load its own icons and nothing else: no font, no other machine.
const addresses = [...css.matchAll(/url\(["']?([^"')]+)/g)].map((match) => match[1]);
for (const address of new Set(addresses)) {
  if (!address.startsWith("images/nhsuk-icon-")) throw new Error(`unexpected address: ${address}`);
  copies[`nhsuk-frontend/dist/nhsuk/assets/${address}`] = address;
}
if (css.includes("@font-face")) throw new Error("the stylesheet must not load a font");
writeFileSync(path.join(vendor, "lamplight.css"), css);

for (const [from, to] of Object.entries(copies)) {
  cpSync(path.join(modules, from), path.join(vendor, to));
}
cpSync(path.join(assets, "nhsuk-frontend.LICENCE.txt"), path.join(vendor, "nhsuk-frontend.LICENCE.txt"));
