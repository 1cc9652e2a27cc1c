import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openUploads } from "../../src/outputs/uploads/registry.js";
import { TestS3 } from "../support/s3-server.js";
import { testUploadStore } from "./upload-store.suite.js";

let s3: TestS3;
let places = 0;

beforeAll(async () => {
  s3 = await TestS3.start();
});

afterAll(async () => {
  await s3.close();
});

testUploadStore("in a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-test-uploads-"));
  return {
    open: async () => await openUploads(join(folder, "spool"), {}),
    clean: async () => await rm(folder, { recursive: true, force: true }),
  };
});

testUploadStore("in a bucket", async () => {
  places += 1;
  const place = s3.place(`uploads-${places}`);
  return await Promise.resolve({
    open: async () => await openUploads(place, s3.env),
    clean: async () => await Promise.resolve(),
  });
});
