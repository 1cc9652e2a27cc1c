/** Makes the package that is published: the built files under a manifest of their own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

const manifestSchema = z.looseObject({
  version: z.string(),
  private: z.literal(true),
  files: z.array(z.string()),
  bin: z.record(z.string(), z.string()),
});
/** Always packed by npm, whatever `files` says. */
const ALWAYS = ["README.md", "LICENSE"];
/** Of use in a checkout alone. `private` keeps `npm publish` from publishing the checkout itself. */
const NOT_PUBLISHED = new Set(["private", "scripts", "devDependencies"]);
/**
 * Packages that travel inside: their `engines` ask for a newer Node than they need, and npm would warn of each
 * on every installation. docs/decisions/0004 says more.
 */
const BUNDLED = ["js-redis-server"];
const bundledSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).optional(),
});
const packed = z.array(
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
);

export interface MadePackage {
  readonly version: string;
  /** Absolute path of the tarball. */
  readonly tarball: string;
  /** Its files, by their paths in the package. */
  readonly files: readonly string[];
}

/**
 * Packs the checkout `root`, whose `dist` must be built, into `folder`.
 *
 * @throws Error if a file that the manifest names is not there
 */
export function makePackage(root: string, folder: string): MadePackage {
  const text = readFileSync(join(root, "package.json"), "utf8");
  const manifest = manifestSchema.parse(JSON.parse(text));
  const stage = join(folder, "package");
  mkdirSync(stage, { recursive: true });
  // npm expands the patterns of `files`; what it would pack of the checkout is copied.
  const [listed] = packed.parse(JSON.parse(npm(["pack", "--dry-run", "--json"], root)));
  for (const { path } of listed?.files ?? []) cpSync(join(root, path), join(stage, path));
  for (const path of ALWAYS) cpSync(join(root, path), join(stage, path));
  for (const name of withDependencies(root, BUNDLED)) {
    const path = join("node_modules", name);
    cpSync(join(root, path), join(stage, path), { recursive: true });
    fitBundled(join(stage, path, "package.json"));
  }
  const published = Object.entries({ ...manifest, bundleDependencies: BUNDLED }).filter(
    ([key]) => !NOT_PUBLISHED.has(key),
  );
  writeFileSync(
    join(stage, "package.json"),
    `${JSON.stringify(Object.fromEntries(published), null, 2)}\n`,
  );
  const [made] = packed.parse(
    JSON.parse(npm(["pack", "--json", "--pack-destination", folder], stage)),
  );
  if (made === undefined) throw new Error("npm pack made no tarball");
  const files = made.files.map(({ path }) => path);
  for (const path of Object.values(manifest.bin)) {
    const name = path.replace(/^\.\//, "");
    if (!files.includes(name))
      throw new Error(`the package lacks ${name}: run npm run build first`);
  }
  return { version: manifest.version, tarball: resolve(folder, made.filename), files };
}

/** The packages, and those that they depend on. */
function withDependencies(root: string, names: readonly string[]): Set<string> {
  const all = new Set(names);
  for (const name of all) {
    const text = readFileSync(join(root, "node_modules", name, "package.json"), "utf8");
    const { dependencies = {} } = bundledSchema.parse(JSON.parse(text));
    for (const other of Object.keys(dependencies)) all.add(other);
  }
  return all;
}

/**
 * Without their peers npm takes only the packages themselves for bundled: of a global installation it would
 * take ioredis for bundled as well, and leave its folder empty. Without their `engines`, `npm ci` and `npx` warn of none.
 */
function fitBundled(path: string): void {
  const manifest = z.looseObject({}).parse(JSON.parse(readFileSync(path, "utf8")));
  const { peerDependencies: _, peerDependenciesMeta: __, engines: ___, ...others } = manifest;
  writeFileSync(path, `${JSON.stringify(others, null, 2)}\n`);
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", [...args], { cwd, encoding: "utf8" });
}
