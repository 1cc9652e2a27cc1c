/** Redis behind TLS with an authority of one's own, and behind sentinels. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Bench, rerank, SAMPLE, words } from "../support/cli.js";
import { firstUnlessLong, given, longTests, openssl, realRedis } from "../support/needs.js";
import { multiply, readRankings, writeRecords } from "../support/records.js";
import { TestCluster } from "../support/redis-cluster.js";
import { freePort } from "../support/redis-server.js";
import { until } from "../support/until.js";

const PASSWORD = "p@ss/w:rd";
const LOGIN = `:${encodeURIComponent(PASSWORD)}@`;

let folder: string;
let servers: ChildProcess[] = [];
let bench: Bench;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-modes-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await bench.close();
  for (const server of servers) server.kill("SIGKILL");
  await Promise.all(servers.map((server) => once(server, "exit")));
  servers = [];
});

/** Starts `redis-server` with the lines of a configuration file. */
function serve(name: string, lines: readonly string[], ...more: readonly string[]): void {
  const config = join(folder, `${name}.conf`);
  writeFileSync(config, [`dir ${folder}`, "bind 127.0.0.1", 'save ""', ...lines, ""].join("\n"));
  servers.push(spawn("redis-server", [config, ...more], { stdio: "ignore" }));
}

function pem(name: string): string {
  return join(folder, `${name}.pem`);
}

function openSsl(line: string): void {
  execFileSync("openssl", words(line), { cwd: folder, stdio: "ignore" });
}

describe("a Redis with TLS", given(realRedis, openssl), () => {
  /** An authority, a server's certificate and a client's, as a company makes them. */
  beforeAll(() => {
    openSsl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Mill -keyout ca.key -out ca.pem");
    writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    for (const name of ["server", "client"]) {
      openSsl(
        `req -newkey rsa:2048 -nodes -subj /CN=${name} -keyout ${name}.key.pem -out ${name}.csr`,
      );
      openSsl(
        `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out ${name}.pem`,
      );
    }
  });

  beforeEach(async () => {
    const port = await freePort();
    serve("tls", [
      "port 0",
      `tls-port ${port}`,
      `tls-cert-file ${pem("server")}`,
      `tls-key-file ${pem("server.key")}`,
      `tls-ca-cert-file ${pem("ca")}`,
      "tls-auth-clients yes",
    ]);
    bench = await Bench.open({
      REDIS_URL: `rediss://127.0.0.1:${port}`,
      RANKMILL_REDIS_CA: pem("ca"),
      RANKMILL_REDIS_CERT: pem("client"),
      RANKMILL_REDIS_KEY: pem("client.key"),
    });
    await until("the server with TLS answers", async () => {
      return (await bench.run(["status"])).code === 0;
    });
  });

  it("a Redis with TLS is used with an authority and a client's certificate of one's own", async () => {
    const done = await bench.run(rerank(SAMPLE, "out.jsonl"));
    expect(done.code, done.stderr).toBe(0);
    expect(readRankings(bench.path("out.jsonl")).map(({ id }) => id)).toHaveLength(54);
  });

  it("a cluster with TLS is used with the same certificates", given(longTests), async () => {
    const [ca, cert, key] = [pem("ca"), pem("server"), pem("server.key")];
    const cluster = await TestCluster.start({
      settings: [
        `--tls-cert-file ${cert} --tls-key-file ${key} --tls-ca-cert-file ${ca}`,
        "--tls-cluster yes --tls-auth-clients yes",
      ],
      connection: {
        tls: {
          ca: readFileSync(ca, "utf8"),
          cert: readFileSync(pem("client"), "utf8"),
          key: readFileSync(pem("client.key"), "utf8"),
        },
      },
    });
    try {
      const env = { REDIS_URL: cluster.url };
      const done = await bench.run(rerank(SAMPLE, "out.jsonl"), { env });
      expect(done.code, done.stderr).toBe(0);
      expect(readRankings(bench.path("out.jsonl"))).toHaveLength(54);
      const refused = await bench.run(["status"], { env: { ...env, RANKMILL_REDIS_CA: "" } });
      expect(refused.code).toBe(5);
      expect(refused.stderr).toMatch(/self-signed|unable to verify|issuer/);
    } finally {
      await cluster.close();
    }
  });

  it.each(
    firstUnlessLong(
      [
        [
          "without the authority",
          { RANKMILL_REDIS_CA: "" },
          5,
          /self-signed|unable to verify|issuer/,
        ],
        ["with a key alone", { RANKMILL_REDIS_CERT: "" }, 2, /--redis-cert and --redis-key/],
        [
          "with a file that is not there",
          { RANKMILL_REDIS_CA: "none.pem" },
          2,
          /--redis-ca none\.pem/,
        ],
        ["with a file that is not PEM", { RANKMILL_REDIS_CA: SAMPLE }, 2, /is not PEM/],
        ["with certificates for redis://", { REDIS_URL: "redis://127.0.0.1:1" }, 2, /rediss:\/\//],
      ] as const,
      2,
    ),
  )("a command %s is refused in one line", async (_, env, code, said) => {
    const refused = await bench.run(["status"], { env });
    expect(refused).toMatchObject({ code, stderr: expect.stringMatching(said) as string });
    expect(refused.stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
  });
});

describe("a Redis behind sentinels", given(realRedis), () => {
  let url: string;
  let sentinel: Redis;

  beforeEach(async () => {
    const [primary, replica, watch] = [await freePort(), await freePort(), await freePort()];
    const login = [`requirepass ${PASSWORD}`, `masterauth ${PASSWORD}`];
    serve("primary", [`port ${primary}`, ...login]);
    serve("replica", [`port ${replica}`, `replicaof 127.0.0.1 ${primary}`, ...login]);
    const monitor = [
      `port ${watch}`,
      `sentinel monitor mill 127.0.0.1 ${primary} 1`,
      `sentinel auth-pass mill ${PASSWORD}`,
      "sentinel down-after-milliseconds mill 5000",
    ];
    serve("sentinel", monitor, "--sentinel");
    url = `redis+sentinel://${LOGIN}127.0.0.1:${watch}/mill`;
    bench = await Bench.open({ REDIS_URL: url });
    sentinel = new Redis(watch, { maxRetriesPerRequest: null });
    sentinel.on("error", () => undefined);
    await until("the sentinel knows the replica", async () => {
      const replicas = await sentinel.call("SENTINEL", "replicas", "mill").catch(() => []);
      return (
        Array.isArray(replicas) && JSON.stringify(replicas).includes(`"master-link-status","ok"`)
      );
    });
  });
  afterEach(() => sentinel.disconnect());

  it("a run goes on with the new primary after a failover, and no record is lost or doubled", async () => {
    const records = multiply(SAMPLE, 4);
    writeRecords(bench.path("in.jsonl"), records);
    const run = bench.start(rerank("in.jsonl", "out.jsonl", "--max-batch-size 1 --no-calibrate"));
    await run.says(/[1-9]\d*\/216 records/);
    const before = await sentinel.call("SENTINEL", "get-master-addr-by-name", "mill");
    await sentinel.call("SENTINEL", "failover", "mill");
    await until("there is a new primary", async () => {
      const now = await sentinel.call("SENTINEL", "get-master-addr-by-name", "mill");
      return JSON.stringify(now) !== JSON.stringify(before);
    });
    const ended = await run.exited;
    expect(ended.code, ended.stderr).toBe(0);
    const ids = readRankings(bench.path("out.jsonl")).map(({ id }) => id);
    expect(ids).toHaveLength(records.length);
    expect(new Set(ids).size).toBe(records.length);
  });

  it("the password is in no message, and a name that no sentinel knows is said", async () => {
    const wrong = url.replace("/mill", "/millstone");
    const refused = await bench.run(["status"], { env: { REDIS_URL: wrong } });
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain("millstone");
    expect(refused.stderr).not.toContain(PASSWORD);
    expect(refused.stderr).not.toContain(encodeURIComponent(PASSWORD));
  });
});
