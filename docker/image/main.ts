/**
 * `tsx docker/image/main.ts OUT ARCH`: lays out what the application's layers of an image hold, from
 * a compiled checkout with its packages installed. OUT/native gets the packages that stay as they
 * are, OUT/app all else; both are trees from `/`. ARCH is `amd64` or `arm64`.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { bundleApplication } from "./bundle.js";
import { copyKeptPackages, keptPackages, type ImageArch } from "./kept-packages.js";
import { writeNotices } from "./notices.js";

const ARCHES: Readonly<Record<string, ImageArch>> = { amd64: "x64", arm64: "arm64" };

const [out, archName = ""] = process.argv.slice(2);
const arch = ARCHES[archName];
if (out === undefined || arch === undefined) {
  throw new Error(`usage: main.ts OUT ${Object.keys(ARCHES).join("|")}`);
}
const root = process.cwd();
const app = join(out, "app/app");
mkdirSync(app, { recursive: true });

const bundled = await bundleApplication(join(root, "dist"), app);
copyKeptPackages(root, join(out, "native/app"), arch);
writeNotices(root, [...bundled, ...keptPackages(arch)], join(app, "THIRD-PARTY-NOTICES.txt"));

// The parts of its own package that the program reads: its name and version, the models it knows and brings.
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
};
writeFileSync(
  join(app, "package.json"),
  `${JSON.stringify({ name: "rankmill", version: manifest.version, type: "module" })}\n`,
);
cpSync(join(root, "LICENSE"), join(app, "LICENSE"));
for (const folder of ["models/catalogue", "models/builtin-bm25"]) {
  cpSync(join(root, folder), join(app, folder), {
    recursive: true,
    filter: (source) => !/\.(ts|md)$/.test(source),
  });
}
