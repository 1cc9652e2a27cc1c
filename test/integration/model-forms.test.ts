/** One model in several numeric forms on one Redis: each is a thing of its own, and producers find the right one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ServedModels } from "../../src/app/gateway/served-models.js";
import { RankmillError } from "../../src/core/errors.js";
import { MODELS_KEY, modelTag } from "../../src/redis/keys.js";
import {
  findServedModel,
  listServedModels,
  registerModel,
  type ServedModel,
} from "../../src/redis/model-registry.js";
import { WorkerAnnouncer } from "../../src/redis/worker-registry.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const OWN: ServedModel = {
  name: "some/model",
  aliases: ["model"],
  revision: "0123456789ab",
  precision: "int8",
  digest: "d",
  maxLength: { default: 512, highest: 512 },
  takesInstruction: false,
};
const ROWS: ServedModel = { ...OWN, form: "rows" };

describe.each(redisKinds)("a model in several numeric forms, on %s", (kind) => {
  let server: TestRedis;
  const workers: WorkerAnnouncer[] = [];

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
  });

  beforeEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await server.client().flushall();
  });

  afterAll(async () => {
    await server.close();
  });

  async function serve(model: ServedModel): Promise<void> {
    const redis = server.client();
    const tag = modelTag(model);
    workers.push(new WorkerAnnouncer(redis, tag, () => ({ lanes: 1, held: 0 })));
    await until(
      "the worker is announced",
      async () => (await redis.keys(`*${tag}*:worker:*`)).length > 0,
    );
    await registerModel(redis, model);
  }

  it("is not found by producers of versions that know no form", async () => {
    await registerModel(server.client(), ROWS);
    expect(await server.client().hvals(MODELS_KEY)).toEqual([]);
    expect(await listServedModels(server.client())).toEqual([ROWS]);
  });

  it("is found in the form that is at work", async () => {
    const redis = server.client();
    await registerModel(redis, OWN);
    await serve(ROWS);
    expect((await findServedModel(redis, "model"))?.form).toBe("rows");
  });

  it("is found in the file's own numbers as long as a worker serves these", async () => {
    const redis = server.client();
    await serve(OWN);
    await serve(ROWS);
    expect((await findServedModel(redis, "model"))?.form).toBeUndefined();
    expect((await findServedModel(redis, "model", { form: "rows" }))?.form).toBe("rows");
    expect((await findServedModel(redis, "model", { form: "file" }))?.form).toBeUndefined();
  });

  it("is found in the newer form if no worker is there", async () => {
    const redis = server.client();
    await registerModel(redis, ROWS);
    await registerModel(redis, OWN);
    expect((await findServedModel(redis, "model", { precision: "int8" }))?.form).toBe("rows");
  });

  it("is ambiguous if a precision differs too, and the message names the forms", async () => {
    const redis = server.client();
    await registerModel(redis, ROWS);
    await registerModel(redis, { ...OWN, precision: "fp32" });
    const error = await findServedModel(redis, "model").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RankmillError);
    expect(error).toMatchObject({ code: "model_ambiguous" });
    expect(String(error)).toContain("int8-rows of revision 0123456789ab");
  });

  it("has a name of its own at the gateway for each form", async () => {
    await serve(OWN);
    await serve(ROWS);
    const models = new ServedModels(server.client(), {
      aliases: new Map(),
      defaultModel: undefined,
    });
    const listed = await models.list();
    const ids = await Promise.all(listed.map((one) => models.idOf(one)));
    expect(ids).toEqual(["some/model:int8", "some/model:int8-rows"]);
    const found = await Promise.all(ids.map((id) => models.find(id)));
    expect(found.map(({ tag }) => tag)).toEqual([modelTag(OWN), modelTag(ROWS)]);
    for (const name of [undefined, "model", "MODEL:int8"]) {
      expect((await models.find(name)).tag).toBe(modelTag(OWN));
    }
  });
});
