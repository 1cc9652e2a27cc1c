/** `rankmill dashboard`, with the queues of a real worker. */
import { beforeAll, describe, expect, it } from "vitest";
import { SAMPLE, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { until } from "../support/until.js";
import { given, realRedis } from "../support/needs.js";

const PASSWORD = "the miller's";
const AUTHORIZATION = { authorization: `Basic ${btoa(`miller:${PASSWORD}`)}` };

interface ShownQueue {
  readonly name: string;
  readonly displayName: string;
  readonly readOnlyMode: boolean;
  readonly jobs: readonly { readonly id: string; readonly data: { readonly pairs: number } }[];
}

describe("the dashboard", given(realRedis), () => {
  const fleet = useFleet({ shared: "everything" });
  let url: string;

  const start = async (
    more: readonly string[] = [],
  ): Promise<{ readonly url: string; readonly running: RunningCli }> => {
    const running: RunningCli = fleet.bench.start(["dashboard", "--dashboard-port", "0", ...more], {
      env: { RANKMILL_DASHBOARD_PASSWORD: PASSWORD },
    });
    await running.says("serving dashboard");
    const line = running.stdout.split("\n").find((one) => one.includes("serving dashboard"));
    const { port } = JSON.parse(line ?? "") as { port: number };
    return { url: `http://127.0.0.1:${port}`, running };
  };
  const open = async (more: readonly string[] = []): Promise<string> => (await start(more)).url;
  const ask = (
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
    of = url,
  ): Promise<Response> =>
    fetch(of + path, { ...init, headers: { ...AUTHORIZATION, ...init.headers } });
  const bulk = async (of = url): Promise<ShownQueue> => {
    const list = async (query: string): Promise<ShownQueue[]> => {
      const response = await ask(
        `/queues/api/queues?status=waiting&page=1&jobsPerPage=10${query}`,
        {},
        of,
      );
      return ((await response.json()) as { queues: ShownQueue[] }).queues;
    };
    const name = (await list("")).find((one) => one.displayName.endsWith("bulk"))?.name ?? "";
    const queues = await list(`&activeQueue=${encodeURIComponent(name)}`);
    const found = queues.find((one) => one.name === name);
    if (found === undefined) throw new Error("no bulk queue is shown");
    return found;
  };

  beforeAll(async () => {
    const worker = await fleet.worker("--lanes 1");
    worker.signal("SIGTERM");
    await worker.exited;
    await fleet.submit(SAMPLE);
    url = await open(["--show-texts"]);
  });

  const jobText = async (of: string): Promise<string> => {
    const { name, jobs } = await bulk(of);
    const path = `/queues/api/queues/${encodeURIComponent(name)}/${jobs[0]?.id ?? ""}`;
    return await (await ask(path, {}, of)).text();
  };

  it("the dashboard shows the model's queues and the jobs that wait, with their data", async () => {
    const { name, displayName, readOnlyMode, jobs } = await bulk();
    expect(name).toMatch(/^\{builtin-bm25\..*\}-bulk$/);
    expect([displayName, readOnlyMode]).toEqual(["builtin-bm25 fp32 bulk", true]);
    expect(jobs).toHaveLength(10);
    expect(jobs[0]?.data.pairs).toBeGreaterThan(0);
    expect(await jobText(url)).toContain("documents");
  });

  it("the dashboard asks for the password, for page, files and data alike", async () => {
    for (const path of ["/", "/queues/api/queues", "/queues/static/images/logo.svg", "/nothing"]) {
      const refused = await fetch(url + path);
      expect(refused.status).toBe(401);
      expect(refused.headers.get("www-authenticate")).toContain("Basic");
      const wrong = { authorization: `Basic ${btoa("miller:wrong")}` };
      expect((await fetch(url + path, { headers: wrong })).status).toBe(401);
    }
  });

  it("the dashboard serves a page that loads nothing from elsewhere", async () => {
    const page = await ask("/queues");
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    const scripts = [...html.matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(scripts.length).toBeGreaterThan(0);
    for (const path of scripts) {
      expect((await ask(new URL(path, `${url}/queues/`).pathname)).status).toBe(200);
    }
  });

  it("the dashboard refuses every action while it is read only, and nothing changes", async () => {
    const { name, jobs } = await bulk();
    const queue = `/queues/api/queues/${encodeURIComponent(name)}`;
    const [first] = jobs;
    const actions = ["/pause", "/empty", "/add", `/${first?.id ?? ""}/clean`, "/retry/failed"];
    for (const action of actions) {
      for (const method of ["PUT", "POST", "DELETE", "PATCH"]) {
        expect((await ask(queue + action, { method })).status).toBe(405);
      }
    }
    expect((await bulk()).jobs.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
  });

  it("the dashboard acts if that is allowed, but not for the page of another site", async () => {
    const acting = await open(["--allow-actions"]);
    const { name } = await bulk(acting);
    // Not started with --show-texts.
    expect(await jobText(acting)).toMatch(/hidden(?!.*documents)/s);
    const pause = (headers: Record<string, string>): Promise<Response> =>
      ask(
        `/queues/api/queues/${encodeURIComponent(name)}/pause`,
        { method: "PUT", headers },
        acting,
      );
    expect((await pause({ origin: "http://evil.example" })).status).toBe(403);
    expect((await pause({ origin: acting })).status).toBe(200);
    await until("the queue is paused", async () => {
      const response = await ask("/queues/api/queues", {}, acting);
      return (await response.text()).includes('"isPaused":true');
    });
  });

  it("the dashboard changes nothing of the queues by looking", async () => {
    const client = fleet.redis;
    const metas = await client.keys("rankmill:*:meta");
    expect(metas.length).toBeGreaterThan(0);
    for (const key of metas) expect(await client.hget(key, "opts.maxLenEvents")).toBe("1000");
  });

  it("the dashboard slows down whoever guesses passwords, even with the right one, and logs it", async () => {
    const { url: guessed, running } = await start();
    const wrong = { authorization: `Basic ${btoa("miller:wrong")}` };
    const guess = async (): Promise<number> => (await ask("/", { headers: wrong }, guessed)).status;
    for (let i = 0; i < 5; i += 1) expect(await guess()).toBe(401);
    await until("a guess is put off", async () => (await guess()) === 429);
    await until("guesses are logged", () => running.stdout.includes("wrong dashboard password"));
    await until("the right password is let in again", async () => (await ask("/", {}, guessed)).ok);
  });

  it("the dashboard refuses a body that no action needs", async () => {
    const acting = await open(["--allow-actions"]);
    const { name } = await bulk(acting);
    const path = `/queues/api/queues/${encodeURIComponent(name)}/add`;
    const body = JSON.stringify({ name: "x", data: "y".repeat(2 ** 21) });
    const headers = { "content-type": "application/json", origin: acting };
    const refused = await ask(path, { method: "POST", headers, body }, acting);
    expect(refused.status).toBe(413);
  });

  it("the dashboard does not start if others could come without a password", async () => {
    const args = ["dashboard", "--dashboard-port", "0", "--dashboard-host", "0.0.0.0"];
    const exit = await fleet.bench.run(args);
    expect(exit.stderr).toContain("set RANKMILL_DASHBOARD_PASSWORD");
    expect(exit.code).toBe(2);
  });
});
