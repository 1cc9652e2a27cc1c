import { defineConfig } from "vitest/config";

/** `npm run test:clients`: fetches clients from npm's and Python's registries, and asks a live gateway with each. */
export default defineConfig({
  test: {
    include: ["test/clients/clients.test.ts"],
    globalSetup: ["test/support/global-setup.ts", "test/clients/install.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: "forks",
  },
});
