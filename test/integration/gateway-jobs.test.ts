/** Jobs and runs over HTTP, of two tenants who must not see each other's. */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { addTenant, type Tenant } from "../support/tenant.js";
import { until } from "../support/until.js";

const JOB = { model: BUILTIN, query: "mill", documents: ["a river", "the mill"] };

async function isOver(tenant: Tenant, run: string): Promise<void> {
  await until("the run is over", async () => {
    const { done, failed, total } = await tenant.json(200, "GET", `/v1/runs/${run}`);
    return Number(done) + Number(failed) === total;
  });
}

let made = 0;

/** Records that no other run has: a job that was done before would be done at once. */
function lines(count: number): string {
  const records = Array.from({ length: count }, (_, i) => {
    made += 1;
    return JSON.stringify({ id: `r${i}`, query: "mill", documents: [`mill ${made}`, "river"] });
  });
  return `${records.join("\n")}\n`;
}

async function submitted(tenant: Tenant, count = 2): Promise<string> {
  const path = `/v1/runs?model=${BUILTIN}`;
  const { id } = await tenant.json(202, "POST", path, lines(count));
  return String(id);
}

describe("the gateway's own API", () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;
  let one: Tenant;
  let other: Tenant;
  let admin: Tenant;

  beforeAll(async () => {
    await fleet.worker("--lanes 1");
    gateway = await startGateway(fleet);
    // The first key closes the gateway, which was open to all users of this host.
    const first = await addTenant(fleet, gateway);
    await until("a key is asked for", async () => {
      return (await fetch(`${gateway.url}/v1/models`)).status === 401;
    });
    await first.json(200, "GET", "/v1/models");
    one = await addTenant(fleet, gateway);
    other = await addTenant(fleet, gateway);
    admin = await addTenant(fleet, gateway, { scopes: ["admin"] });
  });

  afterEach(() => {
    fleet.gate.release();
  });

  it("gives metadata back as the body spelled them", async () => {
    const body = JSON.stringify({ ...JOB, metadata: { n: 0 } });
    const spelled = body.replace('"n":0', '"n":12345678901234567890,"f":1.0');
    const json = { "content-type": "application/json" };
    const { url } = await one.json(202, "POST", "/v1/jobs", spelled, json);
    const answer = await (await one.ask("GET", `${String(url)}?wait=20`)).text();
    expect(answer).toContain('"metadata":{"n":12345678901234567890,"f":1.0}');
  });

  it("refuses what stands within itself too often, or twice, and no one else's line for it", async () => {
    const json = { "content-type": "application/json" };
    const deep = `"metadata":{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    const job = `${JSON.stringify(JOB).slice(0, -1)},${deep}}`;
    expect((await one.json(422, "POST", "/v1/jobs", job, json))["message"]).toContain("256 levels");
    await one.json(422, "POST", "/v1/rerank", job, json);
    const twice = `${JSON.stringify(JOB).slice(0, -1)},"query":"river"}`;
    expect(await one.json(422, "POST", "/v1/rerank", twice, json)).toMatchObject({
      message: "query: stands twice in the body: leave one of them",
    });
    const path = `/v1/runs?model=${BUILTIN}`;
    const { id } = await one.json(202, "POST", path, `${lines(1)}{"id":"deep",${deep}}\n`);
    await isOver(one, String(id));
    expect(await one.json(200, "GET", `/v1/runs/${String(id)}`)).toMatchObject({
      done: 1,
      failed: 1,
    });
    await one.json(204, "DELETE", `/v1/runs/${String(id)}`);
  });

  it("takes a job, and gives its ranking to those who ask later", async () => {
    const response = await one.ask("POST", "/v1/jobs", JOB);
    expect(response.status).toBe(202);
    const { id, url } = (await response.json()) as { id: string; url: string };
    expect(response.headers.get("location")).toBe(url);
    const job = await one.json(200, "GET", `${url}?wait=20`);
    expect(job).toMatchObject({ id, object: "job", status: "done", ranking: { model: BUILTIN } });
    await one.json(204, "DELETE", url);
    await one.json(404, "GET", url);
  });

  it("gives the ranking of a request that was too late to those who ask again", async () => {
    fleet.gate.hold();
    const body = { ...JOB, query: "a late mill" };
    const late = await one.ask("POST", "/v1/rerank", body, { prefer: "wait=1" });
    expect(late.status).toBe(504);
    const path = late.headers.get("location") ?? "";
    await other.json(404, "GET", path);
    fleet.gate.release();
    expect(await one.json(200, "GET", `${path}?wait=20`)).toMatchObject({ status: "done" });
    await one.json(204, "DELETE", path);
  });

  it("refuses a field of a job that it does not know, and one that is wrong", async () => {
    const unknown = await one.ask("POST", "/v1/jobs", { ...JOB, return_documents: true });
    expect(unknown.status).toBe(422);
    expect(await unknown.text()).toContain('there is no field \\"return_documents\\"');
    const wrong = await one.ask("POST", "/v1/jobs", { ...JOB, documents: [1] });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).toContain("documents[0]");
  });

  it("keeps equal jobs of two keys apart: none sees, takes or cancels the other's", async () => {
    fleet.gate.hold();
    const body = { ...JOB, query: "a mill of two" };
    const first = await one.json(202, "POST", "/v1/jobs", body);
    const path = String(first["url"]);
    await other.json(404, "GET", path);
    await other.json(404, "DELETE", path);
    const second = await other.json(202, "POST", "/v1/jobs", body);
    expect(second["id"]).toBe(first["id"]);
    await other.json(204, "DELETE", path);
    await other.json(404, "GET", path);
    fleet.gate.release();
    expect(await one.json(200, "GET", `${path}?wait=20`)).toMatchObject({ status: "done" });
    await one.json(204, "DELETE", path);
  });

  it("holds a key to its priority and its pairs in flight, until jobs end", async () => {
    const small = await addTenant(fleet, gateway, {
      limits: { pairsInFlight: 2, highestPriority: "bulk" },
    });
    await small.json(422, "POST", "/v1/jobs", { ...JOB, priority: "interactive" });
    fleet.gate.hold();
    const { url } = await small.json(202, "POST", "/v1/jobs", JOB);
    const late = await small.ask("POST", "/v1/jobs", { ...JOB, query: "another" });
    expect(late.status).toBe(429);
    expect(late.headers.get("retry-after")).toBe("1");
    fleet.gate.release();
    // Nobody asks for the first: its end is found when the second needs its room.
    await until("the second is taken", async () => {
      return (await small.ask("POST", "/v1/jobs", { ...JOB, query: "another" })).status === 202;
    });
    await small.json(204, "DELETE", String(url));
  });

  it("ranks the lines of a body as a run, and gives rankings and failures from where one stopped", async () => {
    const body = `${lines(3)}not json\n`;
    const { id } = await one.json(202, "POST", `/v1/runs?model=${BUILTIN}&top_n=1`, body);
    const run = `/v1/runs/${String(id)}`;
    await isOver(one, String(id));
    const report = await one.json(200, "GET", run);
    expect(report).toMatchObject({ total: 4, done: 3, failed: 1, workers: [], owner: null });
    const all = (await (await one.ask("GET", `${run}/rankings`)).text()).trim().split("\n");
    expect(all.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(["r0", "r1", "r2"]);
    const rest = await one.ask("GET", `${run}/rankings?after=2`);
    expect(rest.headers.get("rankmill-run-over")).toBe("true");
    expect((await rest.text()).trim()).toBe(all[2]);
    const failures = await (await one.ask("GET", `${run}/failures`)).text();
    expect(JSON.parse(failures)).toMatchObject({ line: 4, code: "invalid_json" });
    await one.json(204, "DELETE", run);
    await one.json(404, "GET", run);
  });

  it("hides a run from other keys on every route, and shows it to an admin", async () => {
    const id = await submitted(one);
    const routes = [
      ["GET", ""],
      ["GET", "/rankings"],
      ["GET", "/failures"],
      ["POST", "/cancel"],
      ["POST", "/retry"],
      ["DELETE", ""],
      ["DELETE", "?force=true"],
    ] as const;
    for (const [method, end] of routes) await other.json(404, method, `/v1/runs/${id}${end}`);
    await other.json(404, "GET", `/v1/events?run=${id}`);
    await other.json(404, "GET", `/v1/runs?after=${id}`);
    expect((await other.json(200, "GET", "/v1/runs"))["data"]).toEqual([]);
    await isOver(admin, id);
    expect((await admin.json(200, "GET", "/v1/runs"))["data"]).toMatchObject([{ id }]);
    await admin.json(204, "DELETE", `/v1/runs/${id}`);
  });

  it("lists runs in pages, the newest first", async () => {
    const lister = await addTenant(fleet, gateway);
    const runs = [await submitted(lister), await submitted(lister), await submitted(lister)];
    const first = await lister.json(200, "GET", "/v1/runs?limit=2");
    expect(first).toMatchObject({ has_more: true, last_id: runs[1] });
    const path = `/v1/runs?limit=2&after=${String(first["last_id"])}`;
    expect(await lister.json(200, "GET", path)).toMatchObject({
      has_more: false,
      data: [{ id: runs[0] }],
    });
  });

  it("cancels a run, and ranks it after all when it is told to retry", async () => {
    fleet.gate.hold();
    const id = await submitted(one, 3);
    expect(await one.json(200, "POST", `/v1/runs/${id}/cancel`)).toMatchObject({ stopped: 3 });
    expect(await one.json(200, "GET", `/v1/runs/${id}`)).toMatchObject({ state: "cancelled" });
    fleet.gate.release();
    expect(await one.json(200, "POST", `/v1/runs/${id}/retry`)).toMatchObject({ retried: 3 });
    await isOver(one, id);
    expect(await one.json(200, "GET", `/v1/runs/${id}`)).toMatchObject({ done: 3 });
  });

  it("does a request with an idempotency key once", async () => {
    const headers = { "idempotency-key": "the first import" };
    const path = `/v1/runs?model=${BUILTIN}`;
    const body = lines(2);
    const first = await one.json(202, "POST", path, body, headers);
    const again = await one.ask("POST", path, body, headers);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.json()).toEqual(first);
    await one.json(422, "POST", path, lines(3), headers);
    const equallyLong = body.replace(/[a-z](?="[^"]*$)/, "Q");
    expect(equallyLong).not.toBe(body);
    await one.json(422, "POST", path, equallyLong, headers);
    const others = await other.json(202, "POST", path, body, headers);
    expect(others["id"]).not.toBe(first["id"]);
  });

  it("says that a body holds no record, and takes no form for records", async () => {
    const path = `/v1/runs?model=${BUILTIN}`;
    const empty = await one.json(202, "POST", path, "\n");
    expect(empty).toMatchObject({ total: 0, warnings: ["a request's body holds no record"] });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const refused = await one.json(415, "POST", path, '{"file":"file-1"}', form);
    expect(refused["message"]).toContain("application/x-ndjson");
  });

  it("leaves no run behind if the body is refused or breaks off", async () => {
    const before = (await countRuns(admin)) ?? 0;
    await one.json(422, "POST", `/v1/runs?model=${BUILTIN}`, "a,b\n1,2\n");
    await one.json(404, "POST", "/v1/runs?model=no-such-model", lines(1));
    const { signal, abort } = abortable();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(lines(250))),
    });
    const broken = fetch(`${gateway.url}/v1/runs?model=${BUILTIN}`, {
      method: "POST",
      body,
      duplex: "half",
      headers: { authorization: one.authorization },
      signal,
    });
    await until("the run has begun", async () => ((await countRuns(admin)) ?? 0) > before);
    abort();
    await expect(broken).rejects.toThrow("abort");
    await until("the run is gone", async () => (await countRuns(admin)) === before);
  });

  it("tells the progress of runs as events, until all are over", async () => {
    fleet.gate.hold();
    const id = await submitted(one);
    const response = await one.ask("GET", `/v1/events?run=${id}`);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    let text = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text += Buffer.from(next.value).toString("utf8");
      // The first event has come: the run may go on.
      fleet.gate.release();
    }
    const states = [...text.matchAll(/^data: (\{.+\})$/gm)].map(
      ([, data = ""]) => JSON.parse(data) as { done?: number; over?: boolean },
    );
    expect(states[0]).toMatchObject({ over: false, done: 0 });
    expect(states.at(-1)).toMatchObject({ over: true, done: 2 });
    expect(text.endsWith("event: end\ndata: {}\n\n")).toBe(true);
  });

  it("answers 501 for files and batches without a spool, and says what to set", async () => {
    for (const path of ["/v1/files", "/v1/files/file-1", "/v1/batches", "/v1/batches/batch_1"]) {
      const response = await one.ask("GET", path);
      expect([path, response.status]).toEqual([path, 501]);
      expect(await response.text()).toContain("--spool");
    }
  });

  it("keeps a key that may only look from changing anything", async () => {
    const viewer = await addTenant(fleet, gateway, { scopes: ["read"] });
    expect(await viewer.json(200, "GET", "/v1/runs")).toMatchObject({ data: [] });
    await viewer.json(403, "POST", "/v1/jobs", JOB);
    await viewer.json(403, "POST", `/v1/runs?model=${BUILTIN}`, lines(1));
    await viewer.json(403, "DELETE", "/v1/runs/run-1");
    await viewer.json(403, "POST", "/v1/files");
  });
});

/** The runs that a key sees; undefined while a slow Redis takes in hundreds of jobs and says nothing else. */
async function countRuns(tenant: Tenant): Promise<number | undefined> {
  const response = await tenant.ask("GET", "/v1/runs?limit=100");
  if (response.status === 503) return undefined;
  return ((await response.json()) as { data: unknown[] }).data.length;
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
