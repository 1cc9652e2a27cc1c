/** The description of the gateway's API against a live gateway: every example is sent, and every answer held against it. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { EXAMPLE_IDS, EXAMPLE_MODEL } from "../../producers/gateway/openapi/examples.js";
import { ApiDocument, type DescribedOperation } from "../support/api-document.js";
import { BUILTIN } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { metricsUrl } from "../support/metrics.js";
import { curl, given } from "../support/needs.js";
import { addTenant, type Json, type Tenant } from "../support/tenant.js";
import { until } from "../support/until.js";

const MAX_BODY_BYTES = 20_000;
const LINE = JSON.stringify({
  custom_id: "q",
  method: "POST",
  url: "/v1/rerank",
  body: { model: BUILTIN, query: "mill", documents: ["a river", "the mill"] },
});

const fleet = useFleet({ shared: "everything" });
let gateway: TestGateway;
let metrics: string;
let tenant: Tenant;
let api: ApiDocument;

beforeAll(async () => {
  const spool = fleet.bench.path("spool");
  await fleet.worker("--lanes 1");
  fleet.bench.start(["runner", "--spool", spool]);
  const names = `--alias ${EXAMPLE_MODEL}=${BUILTIN} --default-model ${BUILTIN}`;
  const line = `${names} --spool ${spool} --metrics-port 0 --max-body-bytes ${MAX_BODY_BYTES}`;
  gateway = await startGateway(fleet, line);
  metrics = (await metricsUrl(gateway.running)).replace(/\/metrics$/, "");
  tenant = await addTenant(fleet, gateway);
  await until("a key is asked for", async () => {
    return (await fetch(`${gateway.url}/v1/models`)).status === 401;
  });
  api = new ApiDocument(await (await fetch(`${gateway.url}/openapi.json`)).json());
});

/** One request of an operation. */
interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
}

/** The things that examples speak of, made anew: an example may take them away. */
const MAKE: Readonly<Record<keyof Omit<typeof EXAMPLE_IDS, "request">, () => Promise<Json>>> = {
  job: () =>
    tenant.json(202, "POST", "/v1/jobs", { query: randomUUID(), documents: ["a river", "a mill"] }),
  run: async () => {
    const record = JSON.stringify({ id: "q", query: "mill", documents: ["a river", "the mill"] });
    const type = { "content-type": "application/x-ndjson" };
    const run = await tenant.json(202, "POST", "/v1/runs", `${record}\n{}\n`, type);
    await until("the run is over", async () => {
      const path = `/v1/runs/${String(run["id"])}`;
      return (await tenant.json(200, "GET", path))["eta_seconds"] === 0;
    });
    return run;
  },
  file: () => {
    const form = new FormData();
    form.append("file", new File([LINE], "requests.jsonl"));
    form.append("purpose", "batch");
    return tenant.json(200, "POST", "/v1/files", form);
  },
  batch: async () => {
    const body = { input_file_id: (await MAKE.file())["id"], endpoint: "/v1/rerank" };
    return await tenant.json(200, "POST", "/v1/batches", body);
  },
};

const made = new Map<string, Promise<Json>>();

/**
 * A text of an example with things that exist in the place of those that it speaks of.
 *
 * @param takesAway the things are used for nothing else
 */
async function withThings(text: string, takesAway = false): Promise<string> {
  let result = text;
  for (const [kind, make] of Object.entries(MAKE)) {
    const id = EXAMPLE_IDS[kind as keyof typeof MAKE];
    if (!result.includes(id)) continue;
    const thing = takesAway ? make() : (made.get(kind) ?? make());
    if (!takesAway) made.set(kind, thing);
    result = result.replaceAll(id, String((await thing)["id"]));
  }
  return result;
}

/** The requests of an operation's examples. */
async function examplesOf(operation: DescribedOperation): Promise<Sent[]> {
  const [id] = api.exampleParameters(operation, "path").values();
  const query = [...api.exampleParameters(operation, "query")].map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`,
  );
  const path =
    operation.path.replace("{id}", String(id)) + (query.length > 0 ? `?${query.join("&")}` : "");
  const { requestBody } = operation.described;
  if (requestBody === undefined) {
    const takesAway = operation.method === "DELETE";
    return [{ path: await withThings(path, takesAway), headers: {} }];
  }
  const all = Object.entries(requestBody.content).flatMap(([type, { examples }]) =>
    Object.values(examples).map(async ({ value }): Promise<Sent> => {
      if (type === "multipart/form-data") return { path, headers: {}, body: formOf(value) };
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return { path, headers: { "content-type": type }, body: await withThings(text) };
    }),
  );
  return await Promise.all(all);
}

function formOf(value: unknown): FormData {
  const form = new FormData();
  for (const [name, text] of Object.entries(value as Record<string, string>)) {
    if (name === "file") form.append(name, new File([text], "requests.jsonl"));
    else form.append(name, text);
  }
  return form;
}

async function send(
  { method, described }: DescribedOperation,
  { path, headers, body }: Sent,
  url = gateway.url,
): Promise<Response> {
  const needsKey = described.security.length > 0;
  return await fetch((described.servers === undefined ? url : metrics) + path, {
    method,
    headers: { ...(needsKey && { authorization: tenant.authorization }), ...headers },
    ...(body !== undefined && { body }),
  });
}

/** Sends a bad request to each operation for which `request` makes one, and holds the answers against the document. */
async function provoke(
  status: number,
  request: (operation: DescribedOperation) => Sent | undefined,
  url?: string,
): Promise<number> {
  const errors: string[] = [];
  let sent = 0;
  for (const operation of api.operations) {
    const bad = request(operation);
    if (bad === undefined) continue;
    sent += 1;
    const response = await send(operation, bad, url);
    if (response.status !== status) errors.push(`${operation.name}: ${response.status}`);
    errors.push(...(await api.errorsOfAnswer(operation, response)));
  }
  expect(errors).toEqual([]);
  return sent;
}

/** A path of an operation, with a thing that is nobody's. */
function plainPath({ path }: DescribedOperation): string {
  return path.replace("{id}", "nobody-s");
}

function takesJson({ described }: DescribedOperation): boolean {
  return described.requestBody?.content["application/json"] !== undefined;
}

function needsSpool({ path }: DescribedOperation): boolean {
  return /^\/v1\/(files|batches)/.test(path);
}

const JSON_TYPE = { "content-type": "application/json" };

describe("the examples of the API's description", () => {
  it("get each an answer that the description allows", async () => {
    const errors: string[] = [];
    const seen: string[] = [];
    for (const operation of api.operations) {
      for (const sent of await examplesOf(operation)) {
        const response = await send(operation, sent);
        if (!response.ok) errors.push(`${operation.name}: ${response.status}`);
        errors.push(...(await api.errorsOfAnswer(operation, response)));
        seen.push(operation.name);
      }
    }
    expect(errors).toEqual([]);
    expect(new Set(seen)).toEqual(new Set(api.operations.map(({ name }) => name)));
  });

  it("get an answer as lines for the shell too", given(curl), async () => {
    const env = { ...process.env, RANKMILL_API_KEY: tenant.token };
    for (const name of ["post /v1/rerank", "post /v1/jobs", "post /v1/files", "post /v1/runs"]) {
      const source = api.operation(name).described["x-codeSamples"][0]?.source ?? "";
      const line = `${source} -sS --fail-with-body`.replace("http://localhost:8780", gateway.url);
      const { stdout } = await promisify(execFile)("sh", ["-c", line], { env });
      expect(JSON.parse(stdout)).toBeTypeOf("object");
    }
  });

  it("take the headers that the description names", async () => {
    const operation = api.operation("post /v1/jobs");
    const headers = { ...JSON_TYPE, "idempotency-key": "nightly", "x-request-id": "trace-1" };
    const sent = { path: "/v1/jobs", headers, body: JSON.stringify({ query: "q", documents: [] }) };
    await send(operation, sent);
    const again = await send(operation, sent);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await api.errorsOfAnswer(operation, again)).toEqual([]);
    const rank = api.operation("post /v1/rerank");
    const body = JSON.stringify({ query: "q", documents: ["a"], strange: 1 });
    const asked = { path: "/v1/rerank", headers: { ...JSON_TYPE, prefer: "wait=60" }, body };
    const ranked = await send(rank, asked);
    expect(ranked.headers.get("preference-applied")).toBe("wait=60");
    expect(ranked.headers.get("x-rankmill-warnings")).toBe("ignored field: strange");
    expect(await api.errorsOfAnswer(rank, ranked)).toEqual([]);
  });
});

describe("errors are as the description says", () => {
  it("without a key", async () => {
    const keyed = api.operations.filter(({ described }) => described.security.length > 0);
    const sent = await provoke(401, (operation) =>
      keyed.includes(operation)
        ? { path: plainPath(operation), headers: { authorization: "" } }
        : undefined,
    );
    expect(sent).toBe(keyed.length);
  });

  it("with a key that lacks the right, and with one that is over its limit", async () => {
    for (const scope of ["rerank", "read"] as const) {
      const { authorization } = await addTenant(fleet, gateway, { scopes: [scope] });
      const sent = await provoke(403, (operation) => {
        const scopes = operation.described.security.flatMap((one) => Object.values(one).flat());
        if (scopes.length === 0 || scopes.includes(scope)) return undefined;
        return { path: plainPath(operation), headers: { authorization } };
      });
      expect(sent).toBeGreaterThan(5);
    }
    const limits = { requestsPerMinute: 1 };
    const { authorization } = await addTenant(fleet, gateway, { limits });
    await fetch(`${gateway.url}/v1/models`, { headers: { authorization } });
    await provoke(429, (operation) =>
      operation.described.security.length === 0
        ? undefined
        : { path: plainPath(operation), headers: { authorization } },
    );
  });

  it("for a thing that is not there", async () => {
    const sent = await provoke(404, (operation) =>
      operation.path.includes("{id}") ? { path: plainPath(operation), headers: {} } : undefined,
    );
    expect(sent).toBeGreaterThan(10);
  });

  it.each([
    ["for half a body", 400, "{", {}],
    ["for a field that is wrong", 422, '{"query": 7}', {}],
    ["for a body that is too large", 413, JSON.stringify("x".repeat(MAX_BODY_BYTES)), {}],
    ["for a body that is packed in a strange way", 415, "{}", { "content-encoding": "zstd" }],
  ])("%s", async (_, status, body, more) => {
    const sent = await provoke(status, (operation) =>
      takesJson(operation)
        ? { path: operation.path, headers: { ...JSON_TYPE, ...more }, body }
        : undefined,
    );
    expect(sent).toBeGreaterThan(10);
  });

  it("for a parameter that is wrong", async () => {
    const parameters = new Map([
      ["get /v1/jobs/{id}", "wait=x"],
      ["get /v1/runs", "limit=0"],
      ["get /v1/events", "strange=1"],
      ["get /v1/files", "limit=x"],
      ["get /v1/batches", "limit=x"],
    ]);
    const sent = await provoke(422, ({ name, path }) => {
      const query = parameters.get(name);
      return query === undefined ? undefined : { path: `${path}?${query}`, headers: {} };
    });
    expect(sent).toBe(parameters.size);
  });

  it("for a ranking that is late", async () => {
    const texts = ["a river", "the mill"];
    const bodyOf = (): string =>
      JSON.stringify({
        query: randomUUID(),
        documents: texts,
        passages: texts,
        text_1: randomUUID(),
        text_2: texts,
      });
    const sent = await provoke(504, ({ path, described }) =>
      described.responses["504"] === undefined
        ? undefined
        : { path, headers: { ...JSON_TYPE, prefer: "wait=0" }, body: bodyOf() },
    );
    expect(sent).toBeGreaterThan(5);
  });

  it("for what is under way, or belongs to another thing", async () => {
    const batch = await MAKE.batch();
    const errors: string[] = [];
    const file = api.operation("delete /v1/files/{id}");
    const output = `file-output-${String(batch["id"]).slice("batch_".length)}`;
    const refused = await send(file, { path: `/v1/files/${output}`, headers: {} });
    expect(refused.status).toBe(409);
    errors.push(...(await api.errorsOfAnswer(file, refused)));
    const jobs = api.operation("post /v1/jobs");
    const headers = { ...JSON_TYPE, "idempotency-key": "one name" };
    const submit = async (query: string): Promise<Response> =>
      send(jobs, { path: "/v1/jobs", headers, body: JSON.stringify({ query, documents: [] }) });
    await submit("one");
    const other = await submit("another");
    expect(other.status).toBe(422);
    errors.push(...(await api.errorsOfAnswer(jobs, other)));
    expect(errors).toEqual([]);
  });

  it("without a spool, and with no memory for bodies", async () => {
    const bare = await startGateway(fleet, "--max-in-flight-bytes 10");
    const form = new FormData();
    form.append("file", new File(["{}"], "x"));
    form.append("purpose", "batch");
    const without = await provoke(
      501,
      (operation) =>
        needsSpool(operation)
          ? {
              path: plainPath(operation),
              headers: operation.path === "/v1/files" ? {} : JSON_TYPE,
              ...(operation.method === "POST" && {
                body: operation.path === "/v1/files" ? form : "{}",
              }),
            }
          : undefined,
      bare.url,
    );
    expect(without).toBe(9);
    const full = await provoke(
      503,
      (operation) =>
        takesJson(operation) && !needsSpool(operation)
          ? { path: operation.path, headers: JSON_TYPE, body: JSON.stringify("x".repeat(20)) }
          : undefined,
      bare.url,
    );
    expect(full).toBeGreaterThan(10);
  });
});

describe("the page of the API's description", () => {
  it("is open, has a policy of its own, and every other header of an answer", async () => {
    const response = await fetch(`${gateway.url}/docs`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'sha256-");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toContain('POST</span> <code class="path">/v1/rerank</code>');
    const refused = await fetch(`${gateway.url}/docs/more`);
    expect(refused.status).toBe(401);
  });
});
