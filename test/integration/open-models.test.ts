import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpenModels, type KnownModel } from "../../src/app/client/open-models.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { TestRedis } from "../support/redis-server.js";

const MODEL: KnownModel = {
  name: "reranker",
  revision: "0123456789ab",
  precision: "int8",
  maxLength: { default: 512, highest: 512 },
  takesInstruction: false,
};

describe("a model that a client asks for by its name", () => {
  let server: TestRedis;
  let models: OpenModels;
  beforeAll(async () => {
    server = await TestRedis.start();
  });
  afterAll(async () => {
    await models.close();
    await server.close();
  });

  it("is looked up again after a while, and opened again only if it is another one by then", async () => {
    models = new OpenModels(server.client(), DEFAULT_LIMITS, 0);
    const first = await models.get("reranker", () => Promise.resolve(MODEL));
    expect(await models.get("reranker", () => Promise.resolve(MODEL))).toBe(first);
    const other = await models.get("reranker", () => Promise.resolve({ ...MODEL, form: "rows" }));
    expect(other.tag).not.toBe(first.tag);
    expect(await models.get("reranker", lost)).toBe(other);
    await expect(models.get("another", lost)).rejects.toThrow("ambiguous by now");
  });
});

async function lost(): Promise<KnownModel> {
  return await Promise.reject(new Error("ambiguous by now"));
}
