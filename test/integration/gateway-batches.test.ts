/** OpenAI's files and batches over HTTP, backed by a spool and its runner. */
import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILTIN } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { addTenant, type Json, type Tenant } from "../support/tenant.js";
import { until } from "../support/until.js";

const MAX_BYTES = 4_000;
const QUOTA_BYTES = 9_000;

interface Line {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: Json } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

function request(id: string, url: string, body: Json): string {
  return JSON.stringify({ custom_id: id, method: "POST", url, body: { model: BUILTIN, ...body } });
}

function rerank(id: string, ...documents: readonly string[]): string {
  return request(id, "/v1/rerank", { query: "mill", documents });
}

/** A form as the `openai` package sends it. */
function form(text: string, purpose: string | undefined = "batch"): FormData {
  const data = new FormData();
  data.append("file", new File([text], "requests.jsonl"));
  if (purpose !== undefined) data.append("purpose", purpose);
  return data;
}

async function upload(tenant: Tenant, text: string): Promise<string> {
  return String((await tenant.json(200, "POST", "/v1/files", form(text)))["id"]);
}

async function batchOf(tenant: Tenant, text: string, endpoint = "/v1/rerank"): Promise<Json> {
  const file = await upload(tenant, text);
  const body = { input_file_id: file, endpoint, completion_window: "24h" };
  return await tenant.json(200, "POST", "/v1/batches", body);
}

async function ended(tenant: Tenant, id: unknown): Promise<Json> {
  let batch: Json = {};
  await until("the batch has ended", async () => {
    batch = await tenant.json(200, "GET", `/v1/batches/${String(id)}`);
    return batch["status"] !== "in_progress" && batch["status"] !== "validating";
  });
  return batch;
}

async function linesOf(tenant: Tenant, file: unknown): Promise<Line[]> {
  const text = await (await tenant.ask("GET", `/v1/files/${String(file)}/content`)).text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

describe("OpenAI's files and batches", () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;
  let one: Tenant;
  let other: Tenant;

  beforeAll(async () => {
    const spool = fleet.bench.path("spool");
    await fleet.worker("--lanes 1");
    fleet.bench.start(["runner", "--spool", spool]);
    const bounds = `--max-upload-bytes ${MAX_BYTES} --upload-quota-bytes ${QUOTA_BYTES}`;
    gateway = await startGateway(fleet, `--spool ${spool} ${bounds}`);
    one = await addTenant(fleet, gateway);
    other = await addTenant(fleet, gateway);
    await until("a key is asked for", async () => {
      return (await fetch(`${gateway.url}/v1/models`)).status === 401;
    });
  });

  it("keep an upload byte by byte, list it, and delete it", async () => {
    const text = `${rerank("a", "river", "the mill")}\r\nno end`;
    const file = await one.json(200, "POST", "/v1/files", form(text));
    expect(file).toMatchObject({
      object: "file",
      bytes: Buffer.byteLength(text),
      filename: "requests.jsonl",
      purpose: "batch",
      status: "processed",
    });
    const path = `/v1/files/${String(file["id"])}`;
    const content = await one.ask("GET", `${path}/content`);
    expect(await content.text()).toBe(text);
    expect(content.headers.get("content-type")).toBe("application/octet-stream");
    expect((await one.json(200, "GET", "/v1/files"))["data"]).toEqual([file]);
    const body = { input_file_id: file["id"], endpoint: "/v1/rerank", completion_window: "24h" };
    for (const [method, end] of [
      ["GET", ""],
      ["GET", "/content"],
      ["DELETE", ""],
    ] as const) {
      await other.json(404, method, path + end);
    }
    await other.json(404, "POST", "/v1/batches", body);
    await other.json(404, "POST", "/v1/runs", { file: file["id"], model: BUILTIN });
    await one.json(404, "GET", "/v1/files?after=file-none");
    const two = form(text);
    two.append("file", new File([text], "second.jsonl"));
    expect((await one.json(422, "POST", "/v1/files", two))["message"]).toContain("stands twice");
    expect((await other.json(200, "GET", "/v1/files"))["data"]).toEqual([]);
    expect(await one.json(200, "DELETE", path)).toMatchObject({ deleted: true });
    await one.json(404, "GET", path);
  });

  it("rank a batch, with its answers in one file and its failures in another", async () => {
    const text = [rerank("a", "river", "the mill"), rerank("b", "x"), "{}", rerank("b", "y")];
    const batch = await batchOf(one, text.join("\n"));
    expect(batch).toMatchObject({ object: "batch", endpoint: "/v1/rerank", model: BUILTIN });
    const done = await ended(one, batch["id"]);
    expect(done).toMatchObject({
      status: "completed",
      request_counts: { total: 4, completed: 2, failed: 2 },
    });
    const answers = await linesOf(one, done["output_file_id"]);
    const first = answers.find((line) => line.custom_id === "a");
    expect(first?.response).toMatchObject({
      status_code: 200,
      body: { object: "rerank", results: [{ index: 1 }, { index: 0 }], usage: {} },
    });
    const failures = await linesOf(one, done["error_file_id"]);
    expect(failures.map(({ error }) => error?.code ?? "").sort()).toEqual([
      "duplicate_id",
      "invalid_field",
    ]);
    const file = await one.json(200, "GET", `/v1/files/${String(done["output_file_id"])}`);
    expect(file).toMatchObject({ purpose: "batch_output", object: "file" });
    for (const id of [done["output_file_id"], done["error_file_id"]]) {
      await other.json(404, "GET", `/v1/files/${String(id)}`);
      await other.json(404, "GET", `/v1/files/${String(id)}/content`);
      await other.json(404, "DELETE", `/v1/files/${String(id)}`);
    }
    await other.json(404, "GET", `/v1/batches/${String(batch["id"])}`);
    await other.json(404, "POST", `/v1/batches/${String(batch["id"])}/cancel`);
    await other.json(404, "GET", `/v1/batches?after=${String(batch["id"])}`);
    expect((await other.json(200, "GET", "/v1/batches"))["data"]).toEqual([]);
    expect((await one.json(200, "GET", "/v1/batches"))["data"]).toMatchObject([
      { id: batch["id"] },
    ]);
  });

  it("fail lines of another model or another endpoint alone", async () => {
    const other = request("m", "/v1/rerank", { model: "another", query: "q", documents: ["d"] });
    const score = request("u", "/v1/score", { text_1: "q", text_2: "d" });
    const { id } = await batchOf(one, [rerank("a", "river"), other, score].join("\n"));
    const done = await ended(one, id);
    expect(done["request_counts"]).toEqual({ total: 3, completed: 1, failed: 2 });
    const failures = await linesOf(one, done["error_file_id"]);
    const messages = failures.map(({ error }) => error?.message ?? "");
    expect(messages.join("\n")).toMatch(/body\.model: is "another", and the batch ranks with/);
    expect(messages.join("\n")).toMatch(/url: is "\/v1\/score", and the batch is for \/v1\/rerank/);
  });

  it("score one text against many, in the order of the request", async () => {
    const body = { text_1: "mill", text_2: ["river", "the mill"] };
    const wrong = { text_1: ["mill", "river"], text_2: ["a", "b"] };
    const text = [request("s", "/v1/score", body), request("w", "/v1/score", wrong)].join("\n");
    const { id } = await batchOf(one, text, "/v1/score");
    const done = await ended(one, id);
    expect(done["request_counts"]).toEqual({ total: 2, completed: 1, failed: 1 });
    const [line] = await linesOf(one, done["output_file_id"]);
    const data = line?.response?.body["data"] as { index: number; score: number }[];
    expect(data.map(({ index }) => index)).toEqual([0, 1]);
    expect(data[1]?.score).toBeGreaterThan(data[0]?.score ?? 1);
  });

  it("score a text that is repeated for each of many as the online route does", async () => {
    const body = { text_1: ["mill", "mill"], text_2: ["river", "the mill"] };
    const { id } = await batchOf(one, request("s", "/v1/score", body), "/v1/score");
    const done = await ended(one, id);
    const [line] = await linesOf(one, done["output_file_id"]);
    const online = await one.json(200, "POST", "/v1/score", { model: "builtin-bm25", ...body });
    const { data, usage } = online;
    expect(line?.response?.body).toMatchObject({ object: "list", data, usage });
  });

  it("cancel a batch and keep what is there", async () => {
    fleet.gate.hold();
    const { id } = await batchOf(one, [rerank("c1", "one"), rerank("c2", "two")].join("\n"));
    const cancelled = await one.json(200, "POST", `/v1/batches/${String(id)}/cancel`);
    expect(cancelled).toMatchObject({ status: "cancelled", request_counts: { total: 2 } });
    fleet.gate.release();
  });

  it("stop a batch whose time is over, if the operator bounds it, though nobody asks", async () => {
    const bounded = await startGateway(
      fleet,
      `--spool ${fleet.bench.path("spool")} --batch-expiry 1`,
    );
    const tenant = await addTenant(fleet, bounded);
    const text = [rerank("e1", "one"), rerank("e2", "two")].join("\n");
    // Held until all is read: a worker that goes on would still rank what it has in hand.
    fleet.gate.hold();
    try {
      const batch = await batchOf(tenant, text);
      expect(batch["expires_at"]).toEqual(expect.any(Number));
      const run = `/v1/runs/run-${String(batch["id"]).slice("batch_".length)}`;
      await until("its run is stopped", async () => {
        return (await tenant.json(200, "GET", run))["state"] === "cancelled";
      });
      const expired = await ended(tenant, batch["id"]);
      expect(expired).toMatchObject({
        status: "expired",
        cancelled_at: null,
        output_file_id: null,
      });
      expect(expired["expired_at"]).toBeGreaterThanOrEqual(Number(expired["created_at"]));
      const failures = await linesOf(tenant, expired["error_file_id"]);
      expect(new Map(failures.map(({ custom_id: id, error }) => [id, error?.code]))).toEqual(
        new Map([
          ["e1", "batch_expired"],
          ["e2", "batch_expired"],
        ]),
      );
    } finally {
      fleet.gate.release();
    }
  });

  it("rank an uploaded file as a run of rankmill's own", async () => {
    const file = await upload(one, rerank("own", "river", "the mill"));
    const { id } = await one.json(202, "POST", "/v1/runs", { file, model: BUILTIN });
    await until("the run is over", async () => {
      return (await one.json(200, "GET", `/v1/runs/${String(id)}`))["state"] === "complete";
    });
    const text = await (await one.ask("GET", `/v1/runs/${String(id)}/rankings`)).text();
    expect(JSON.parse(text)).toMatchObject({ id: "own", results: [{ index: 1 }, { index: 0 }] });
  });

  it("refuse what is no batch, too large, or too much, and leave nothing behind", async () => {
    const tenant = await addTenant(fleet, gateway);
    const stored = async (): Promise<number> =>
      (await readdir(fleet.bench.path("spool/.uploads"))).length;
    const before = await stored();
    await tenant.json(415, "POST", "/v1/files", { file: "x" });
    await tenant.json(422, "POST", "/v1/files", form("{}", "assistants"));
    const noPurpose = new FormData();
    noPurpose.append("file", new File(["{}"], "x"));
    await tenant.json(422, "POST", "/v1/files", noPurpose);
    await tenant.json(413, "POST", "/v1/files", form("x".repeat(MAX_BYTES + 1)));
    const torn = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}';
    const type = { "content-type": "multipart/form-data; boundary=b" };
    await tenant.json(400, "POST", "/v1/files", torn, type);
    expect(await stored()).toBe(before);
    const files = [
      await upload(tenant, "x".repeat(3_900)),
      await upload(tenant, "x".repeat(3_900)),
    ];
    const full = await tenant.ask("POST", "/v1/files", form("x".repeat(3_900)));
    expect(full.status).toBe(413);
    expect(await full.text()).toContain("over its quota of 9000");
    await tenant.json(200, "DELETE", `/v1/files/${String(files[0])}`);
    await upload(tenant, "x".repeat(3_900));
    const [, file] = files;
    const body = { input_file_id: file, endpoint: "/v1/rerank", completion_window: "24h" };
    const other = { ...body, endpoint: "/v1/chat/completions" };
    expect(await tenant.json(422, "POST", "/v1/batches", other)).toMatchObject({
      message: 'endpoint: must be one of "/v1/rerank", "/v1/score"',
    });
    await tenant.json(200, "DELETE", `/v1/files/${String(file)}`);
    const empty = { ...body, input_file_id: await upload(tenant, "\n\n") };
    expect(await tenant.json(422, "POST", "/v1/batches", empty)).toMatchObject({
      message: "requests.jsonl holds no request: a batch needs one at least",
    });
  });

  it("refuse a small body that is large once it is inflated, and leave no run behind", async () => {
    const tenant = await addTenant(fleet, gateway);
    const line = `${rerank("a", "x".repeat(900))}\n`;
    const body = gzipSync(line.repeat(100));
    expect(body.length).toBeLessThan(MAX_BYTES);
    const response = await fetch(`${gateway.url}/v1/runs?model=${BUILTIN}`, {
      method: "POST",
      headers: { authorization: tenant.authorization },
      body,
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain(`more than ${MAX_BYTES} bytes`);
    expect((await tenant.json(200, "GET", "/v1/runs"))["data"]).toEqual([]);
  });
});
