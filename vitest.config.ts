import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{unit,conformance,integration,chaos}/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
