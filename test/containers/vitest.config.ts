import { defineConfig } from "vitest/config";

/** `npm run test:containers`: images and fleets for real. One file at a time, since they share the machine. */
export default defineConfig({
  test: {
    include: ["test/containers/**/*.test.ts"],
    globalSetup: ["test/containers/support/build-image.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    pool: "forks",
  },
});
