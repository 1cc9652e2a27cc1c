/** The description of the gateway's API: whole, valid, and true of the router. */
import { hash } from "node:crypto";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { renderDocs } from "../../../../producers/gateway/docs-page/page.js";
import type { GatewayEnv, GatewayParts } from "../../../../producers/gateway/env.js";
import { MODULES } from "../../../../producers/gateway/modules.js";
import { openApiDocument, templateOf } from "../../../../producers/gateway/openapi/document.js";
import { KEYLESS_PATHS } from "../../../../producers/gateway/authentication.js";
import { ApiDocument, openApiErrors, valuesIn } from "../../../support/api-document.js";

const json = openApiDocument();
const api = new ApiDocument(json);

/** The routes that the gateway's modules add, as the router has them. */
function routes(): string[] {
  const app = new Hono<GatewayEnv>();
  const parts = { tenants: {} } as unknown as GatewayParts;
  for (const add of MODULES) add(app, parts);
  const all = app.routes.filter(({ method }) => method !== "ALL");
  return all.map(({ method, path }) => `${method.toLowerCase()} ${templateOf(path)}`);
}

describe("the document", () => {
  it("is one of OpenAPI 3.1, as its schema says", () => {
    expect(openApiErrors(json)).toEqual([]);
    expect(openApiErrors({ ...json, paths: { "no slash": {} } })).not.toEqual([]);
  });

  it("describes every route of the router, and none beside them but the metrics of another port", () => {
    const described = api.operations.map(({ name }) => name);
    expect(new Set(described)).toEqual(new Set([...routes(), "get /metrics"]));
  });

  it("gives every operation a name of its own and an example", () => {
    const names = api.operations.map(({ described }) => described.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { described } of api.operations) {
      expect(described["x-codeSamples"].length).toBeGreaterThan(0);
    }
  });

  it("asks for a key wherever the gateway does", () => {
    const open = api.operations.filter(({ described }) => described.security.length === 0);
    expect(new Set(open.map(({ path }) => path))).toEqual(new Set([...KEYLESS_PATHS, "/metrics"]));
  });

  it("has examples of bodies and answers that its own schemas allow", () => {
    for (const operation of api.operations) {
      const { requestBody, responses } = operation.described;
      const answers = Object.keys(responses).map((status) =>
        api.answerTo(operation, Number(status)),
      );
      for (const content of [requestBody?.content ?? {}, ...answers.map((one) => one.content)]) {
        for (const [type, { schema, examples }] of Object.entries(content)) {
          expect(Object.keys(examples), operation.name).not.toEqual([]);
          for (const { value } of Object.values(examples)) {
            const values =
              typeof value === "string" && schema["type"] !== "string"
                ? valuesIn(type, value)
                : [value];
            const errors = values.flatMap((one) => api.errorsOf(one, schema));
            expect(errors, `${operation.name}: ${JSON.stringify(value)}`).toEqual([]);
          }
        }
      }
    }
  });

  it("is refused by the test's own rule if an answer has a field that no schema names", () => {
    const { content } = api.answerTo(api.operation("get /v1/models"), 200);
    const schema = content["application/json"]?.schema ?? {};
    expect(api.errorsOf({ object: "list", data: [] }, schema)).toEqual([]);
    expect(api.errorsOf({ object: "list", data: [], more: 1 }, schema)).not.toEqual([]);
  });
});

describe("the page", () => {
  const { html, policy } = renderDocs(json);

  it("shows every operation and every schema, and leads to each", () => {
    const anchors = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const { described } of api.operations) expect(anchors).toContain(described.operationId);
    for (const name of Object.keys(api.schemas)) expect(anchors).toContain(`schema-${name}`);
    for (const [, target] of html.matchAll(/ href="#([^"]+)"/g)) expect(anchors).toContain(target);
  });

  it("loads nothing, and its policy allows its own style and script alone", () => {
    expect(html).not.toMatch(/<(?:link|img|iframe|object)|\ssrc=|@import|url\(/);
    expect(html).not.toMatch(/\sstyle=|\son\w+=/);
    for (const [tag, directive] of [
      ["style", "style-src"],
      ["script", "script-src"],
    ] as const) {
      const [, text = "", ...more] = html.split(new RegExp(`</?${tag}>`));
      expect(more).toHaveLength(1);
      expect(policy).toContain(`${directive} 'sha256-${hash("sha256", text, "base64")}';`);
    }
    expect(policy).toContain("default-src 'none'");
  });

  it("shows what a description holds as text", () => {
    const info = { title: "<script>x</script>", version: '"1"', description: "a `<b>` & 'c'" };
    const page = renderDocs({ ...json, info }).html;
    expect(page).toContain("&lt;script&gt;x&lt;/script&gt;");
    expect(page).toContain("a <code>&lt;b&gt;</code> &amp; &#39;c&#39;");
    expect(page.match(/<script>/g)).toHaveLength(1);
  });
});
