import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{unit,conformance,integration,chaos}/**/*.test.ts"],
    // Deadlines for hangs: these machines are slow and busy.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // Most of the long tests wait: for a lock to run out, for a Redis to come back.
    maxWorkers: 3,
    pool: "forks",
  },
});
