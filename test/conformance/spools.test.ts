import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openSpool } from "../../src/outputs/spool/registry.js";
import { TestS3 } from "../support/s3-server.js";
import { testSpool } from "./spool.suite.js";

let s3: TestS3;
let spools = 0;

beforeAll(async () => {
  s3 = await TestS3.start();
});

afterAll(async () => {
  await s3.close();
});

testSpool("in a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-test-spool-"));
  return {
    open: async () => await openSpool(join(folder, "spool"), {}),
    clean: async () => await rm(folder, { recursive: true, force: true }),
  };
});

testSpool("in a bucket", async () => {
  spools += 1;
  const place = s3.place(`spool-${spools}`);
  return await Promise.resolve({
    open: async () => await openSpool(place, s3.env),
    clean: async () => await Promise.resolve(),
  });
});
