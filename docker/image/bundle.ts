import { chmodSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { KEPT_PACKAGES } from "./kept-packages.js";

/** The files that become processes or threads of their own; each is bundled under its own path. */
const ENTRIES = [
  "producers/cli/main.js",
  "workers/cuda-probe.js",
  "workers/health.js",
  "workers/lane.js",
  "workers/prepare.js",
  "workers/redis-guardian.js",
  "workers/tokenizer-thread.js",
];
/** Packages that are not in the image: each has a way around it in the code that asks for it. */
const LEFT_OUT = ["@huggingface/transformers", "msgpackr-extract"];

/** The image has no `env`; the kernel starts what is executable with this. */
const INTERPRETER = "#!/usr/local/bin/node";

/** The function that CommonJS packages call, which a bundle of ES modules lacks. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url);`;

/**
 * Bundles the compiled program, so that a process starts from one file in place of hundreds, and
 * packages bring only what is reached.
 *
 * @returns names of the packages that went into it
 */
export async function bundleApplication(dist: string, outdir: string): Promise<string[]> {
  const packages = new Set<string>();
  for (const entry of ENTRIES) {
    const { metafile } = await build({
      entryPoints: [join(dist, entry)],
      outfile: join(outdir, entry),
      bundle: true,
      platform: "node",
      target: "node24",
      format: "esm",
      banner: { js: REQUIRE },
      external: [...KEPT_PACKAGES, ...LEFT_OUT].flatMap((name) => [name, `${name}/*`]),
      legalComments: "none",
      metafile: true,
      logLevel: "warning",
      plugins: [keepOwnPlace(dist, entry)],
    });
    chmodSync(join(outdir, entry), 0o755);
    for (const input of Object.keys(metafile.inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
      if (name !== undefined) packages.add(name);
    }
  }
  return [...packages].sort();
}

/**
 * Files find their neighbours from `import.meta.url`, which in a bundle is that of the bundle: gives
 * each file back the place that it would have had beside it.
 */
function keepOwnPlace(dist: string, entry: string): Plugin {
  return {
    name: "keep-own-place",
    setup(bundling) {
      bundling.onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (path.includes("node_modules")) return undefined;
        const source = readFileSync(path, "utf8");
        checkNeighbours(dist, path, source);
        const place = relative(dirname(join(dist, entry)), path);
        const url = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
        const placed = source
          // A package that is asked for as CommonJS goes into the bundle, too.
          .replaceAll('createRequire(import.meta.url)("', 'require("')
          .replaceAll("import.meta.url", url)
          .replace(/^#!.*/, INTERPRETER);
        return { contents: placed, loader: "js" };
      });
    },
  };
}

/** A file that starts another must find it: a new entry that is not listed above fails the build. */
function checkNeighbours(dist: string, path: string, source: string): void {
  for (const [, target = ""] of source.matchAll(/new URL\("([^"]+\.js)", import\.meta\.url\)/g)) {
    const found = relative(dist, resolve(dirname(path), target));
    if (!ENTRIES.includes(found)) throw new Error(`${path} starts ${found}, which is no entry`);
  }
}
