import { expect, it } from "vitest";
import { unreadiness } from "../../../../producers/gateway/readiness.js";

const SILENT = "Redis does not answer";
const never = new AbortController().signal;

/** A gateway whose models are known from before, as long as they are not said to be unknown. */
function gateway(redisIsAway: boolean, list: () => Promise<unknown> = async () => await known) {
  return { redisIsAway, models: { list } };
}

const known = Promise.resolve([]);

it("a gateway is ready while Redis answers", async () => {
  expect(await unreadiness(gateway(false), never)).toBeUndefined();
});

it("a gateway that refuses requests is not ready, though it knows models from before", async () => {
  expect(await unreadiness(gateway(true), never)).toBe(SILENT);
});

it("a gateway is not ready if Redis fell silent while it was asked, or never answered", async () => {
  const falling = { ...gateway(false) };
  const list = async (): Promise<unknown> => {
    falling.redisIsAway = true;
    return await known;
  };
  falling.models = { list };
  expect(await unreadiness(falling, never)).toBe(SILENT);
  const refusing = gateway(false, async () => await Promise.reject(new Error("no answer")));
  expect(await unreadiness(refusing, never)).toBe(SILENT);
});

it("a gateway that stops is not ready", async () => {
  expect(await unreadiness(gateway(false), AbortSignal.abort())).toBe("stopping");
});
