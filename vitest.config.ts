import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";

const KINDS = ["unit", "conformance", "integration", "chaos"];

/** Left to `--mode long` alone: the suites beside them try the same code on fewer texts. */
const LONG_ALONE = ["test/conformance/{tokenizer-windows,unigram-fuzz}.test.ts"];

/** `--mode quick`: a minute on two cores. Left out is what starts many processes or reads large vocabularies. */
const QUICK = {
  include: [
    "test/{unit,conformance}/**/*.test.ts",
    "test/integration/{event-loop,interactive-first}.test.ts",
  ],
  exclude: [
    "test/conformance/{device,jobs,lanes,ranking-sinks,redis-jobs,redis-score-cache,run,spools,tokenizer}.test.ts",
    "test/unit/models/builtin-bm25*.test.ts",
    "test/unit/outputs/{output-lock,run-output}.test.ts",
    "test/unit/tokenizers/{open-tokenizer,kinds/unigram/compiled-tokenizer}.test.ts",
    ...LONG_ALONE,
  ],
};

/** `--mode long`: the files with something that is left out or sampled otherwise, for it takes minutes. */
const LONG = {
  include: [...LONG_ALONE, ...filesThatName(/longTests|firstUnlessLong|FULL_SWEEP/)],
  env: { RANKMILL_TEST_FULL_SWEEP: "1", RANKMILL_TEST_LONG: "1" },
};

export default defineConfig(({ mode }) => ({
  test: {
    // One kind alone: `npx vitest run --project unit`.
    projects: projectsOf(mode),
    globalSetup: "test/support/global-setup.ts",
    reporters: ["default", "./test/support/skip-reporter.ts"],
    // Deadlines for hangs alone: machines are slow and busy, and no test may depend on that.
    testTimeout: mode === "long" ? 7_200_000 : 1_800_000,
    hookTimeout: 900_000,
    // Most of the long tests wait: for a lock to run out, for a Redis to come back.
    maxWorkers: 4,
    pool: "forks",
  },
}));

function projectsOf(mode: string) {
  if (mode === "quick")
    return [{ extends: true as const, test: { name: "quick", isolate: false, ...QUICK } }];
  if (mode === "long") return [{ extends: true as const, test: { name: "long", ...LONG } }];
  return KINDS.map((name) => ({
    extends: true as const,
    test: {
      name,
      // Files of one process share their modules: to load them anew per file takes as long as many tests.
      isolate: name === "chaos",
      include: [`test/${name}/**/*.test.ts`],
      exclude: [...configDefaults.exclude, ...LONG_ALONE],
    },
  }));
}

function filesThatName(words: RegExp): readonly string[] {
  const paths = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => join("test", path));
  return paths.filter((path) => words.test(readFileSync(path, "utf8")));
}
