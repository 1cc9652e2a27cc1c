/** Spools that cannot be used: one clear line, and no secret in it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN, SAMPLE, words, type CliExit } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { TestS3 } from "../support/s3-server.js";

const SECRET = "very-secret-key-of-the-test";
const TOKEN = "very-secret-token-of-the-test";

const fleet = useFleet();
let s3: TestS3;
/** A server that turns everybody away, as S3 does. */
let forbidding: Server;

beforeAll(async () => {
  s3 = await TestS3.start();
  forbidding = createServer((_, answer) => {
    answer.writeHead(403, { "content-type": "application/xml" });
    answer.end(
      '<?xml version="1.0"?><Error><Code>InvalidAccessKeyId</Code><Message>not known here</Message></Error>',
    );
  }).listen(0, "127.0.0.1");
  await once(forbidding, "listening");
});

afterAll(async () => {
  forbidding.close();
  await s3.close();
});

async function submit(spool: string, env: Record<string, string>): Promise<CliExit> {
  const line = `submit --model ${BUILTIN} --input ${SAMPLE} --log-level trace --spool ${spool}`;
  const exit = await fleet.bench.run(words(line), { env });
  expect(exit.stdout + exit.stderr).not.toContain(SECRET);
  expect(exit.stdout + exit.stderr).not.toContain(TOKEN);
  return exit;
}

describe("a spool in a bucket", () => {
  it("a spool in a bucket needs credentials, and names the variable that is missing", async () => {
    const { AWS_SECRET_ACCESS_KEY: _, ...rest } = s3.env;
    const exit = await submit("s3://bucket/runs", rest);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain("s3://bucket/runs: AWS_SECRET_ACCESS_KEY is not set");
  });

  it.each(["s3://", "s3:///runs", "s3://Not_A_Bucket/x"])(
    "the address %s of a spool is refused",
    async (place) => {
      const exit = await submit(place, s3.env);
      expect(exit.code).toBe(2);
      expect(exit.stderr).toContain("expected s3://bucket/prefix");
    },
  );

  it("a spool in a bucket that does not exist is refused by name", async () => {
    const exit = await submit("s3://no-such-bucket/runs", s3.env);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain("the spool s3://no-such-bucket/runs/: NoSuchBucket");
    const runner = await fleet.bench.run(words("runner --spool s3://no-such-bucket/runs"), {
      env: s3.env,
    });
    expect(runner.code).toBe(2);
    expect(runner.stderr).toContain("NoSuchBucket");
  });

  it("a spool in a bucket shows no secret if it is turned away or cannot be reached", async () => {
    const secrets = {
      AWS_ACCESS_KEY_ID: "ASIATEST",
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_SESSION_TOKEN: TOKEN,
    };
    const { port } = forbidding.address() as AddressInfo;
    const refused = await submit("s3://bucket/runs", {
      ...secrets,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("InvalidAccessKeyId: not known here");
    const unreachable = await submit("s3://bucket/runs", {
      ...secrets,
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    });
    expect(unreachable.code).toBe(1);
    expect(unreachable.stderr).toContain("the spool s3://bucket/runs/: ");
    const login = await submit("s3://bucket/runs", {
      ...secrets,
      AWS_ENDPOINT_URL: `http://user:${SECRET}@127.0.0.1:${port}`,
    });
    expect(login.code).toBe(2);
    expect(login.stderr).toContain("AWS_ENDPOINT_URL: expected http://host:port");
  });
});

describe("a spool in a folder", () => {
  it("a spool cannot be a file", async () => {
    writeFileSync(fleet.bench.path("file"), "");
    const file = await submit(fleet.bench.path("file"), {});
    expect(file.code).toBe(2);
    expect(file.stderr).toContain(`the spool ${fleet.bench.path("file")} cannot be written`);
    const runner = await fleet.bench.run(words(`runner --spool ${fleet.bench.path("file")}`));
    expect(runner.code).toBe(2);
  });
});
