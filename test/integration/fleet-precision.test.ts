/** A fleet whose workers choose their precision by themselves: they come to one, and producers find it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findModel } from "../../producers/cli/find-model.js";
import { agreeOnWay, fleetWay } from "../../src/app/ways/fleet-way.js";
import { listWays } from "../../src/app/ways/list-ways.js";
import type { Way, Ways } from "../../src/app/ways/way.js";
import { numbersName } from "../../src/core/forms/numbers.js";
import { resolveModel } from "../../src/models/resolve.js";
import { packageRoot } from "../../src/platform/package-root.js";
import { modelTag } from "../../src/redis/keys.js";
import { registerModel } from "../../src/redis/model-registry.js";
import { WorkerAnnouncer } from "../../src/redis/worker-registry.js";
import { BERT } from "../support/cli.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const ASKED = {
  model: "bert",
  precision: "auto",
  int8Form: undefined,
  modelsDir: undefined,
} as const;

describe.each(redisKinds)("a fleet that chooses by itself, on %s", (kind) => {
  let server: TestRedis;
  let ways: Ways;
  const workers: WorkerAnnouncer[] = [];

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    ways = await listWays({
      resolve: async (precision, int8Form) =>
        await resolveModel(BERT, { packageRoot: packageRoot(), precision, int8Form }),
      places: { setupDirs: { openvino: "/nowhere" } },
      runtime: "auto",
      int8Form: undefined,
      prepares: true,
    });
  });

  beforeEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await server.client().flushall();
  });

  afterAll(async () => {
    await server.close();
  });

  function wayOf(name: string): Way {
    const found = ways.open.find(({ model }) => numbersName(model) === name);
    if (found === undefined) throw new Error(`no way is called ${name}`);
    return found;
  }

  async function serve(model: {
    readonly revision: string;
    readonly precision: string;
    readonly form?: string | undefined;
  }): Promise<void> {
    const { name, digest, maxLength } = ways.reference.model;
    const { revision, precision, form } = model;
    const served = { name, aliases: [], revision, precision, form, digest, maxLength };
    const tag = modelTag(served);
    workers.push(new WorkerAnnouncer(server.client(), tag, () => ({ lanes: 1, held: 0 })));
    await until(
      "the worker is announced",
      async () => (await server.client().keys(`*${tag}*:worker:*`)).length > 0,
    );
    await registerModel(server.client(), { ...served, takesInstruction: false });
  }

  it("is free to choose if nobody serves the model", async () => {
    expect(await fleetWay(server.client(), ways)).toBeUndefined();
  });

  it("goes on in what its workers serve", async () => {
    await serve(wayOf("int8-rows").model);
    const found = await fleetWay(server.client(), ways);
    expect(found?.way).toBe(wayOf("int8-rows"));
    expect(found?.line).toContain("int8-rows, which the fleet serves");
  });

  it("does not mind a model of the same name that has other files", async () => {
    await serve({ ...wayOf("int8-rows").model, revision: "000000000000" });
    expect(await fleetWay(server.client(), ways)).toBeUndefined();
  });

  it("does not mind what was served once and has neither workers nor jobs", async () => {
    await serve(wayOf("int8-rows").model);
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    expect(await fleetWay(server.client(), ways)).toBeUndefined();
  });

  it("is refused by a host that cannot compute what it serves", async () => {
    const { revision } = ways.reference.model;
    await serve({ revision, precision: "fp32", form: "openvino" });
    const refused = fleetWay(server.client(), ways);
    await expect(refused).rejects.toThrow(/fp32-openvino, and this host cannot \(.*nowhere/);
  });

  it("takes the choice of the host that was first, whatever later ones measured", async () => {
    const redis = server.client();
    const own = { way: wayOf("int8-rows"), line: "own" };
    expect(await agreeOnWay(redis, ways, own)).toBe(own);
    const later = await agreeOnWay(redis, ways, { way: wayOf("fp32"), line: "later" });
    expect(later.way).toBe(own.way);
    expect((await fleetWay(redis, ways))?.way).toBe(own.way);
  });

  it("is found by producers in what it serves", async () => {
    await expect(findModel(server.client(), ASKED)).rejects.toThrow("not chosen");
    await serve(ways.reference.model);
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await serve(wayOf("int8-rows").model);
    expect(await findModel(server.client(), ASKED)).toMatchObject({ form: "rows" });
    const byFolder = { ...ASKED, model: BERT };
    expect(await findModel(server.client(), byFolder)).toMatchObject({ form: "rows" });
  });
});
