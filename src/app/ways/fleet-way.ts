/** The way that a fleet computes a model in already: a host that comes later takes the same. */
import { RankmillError } from "../../core/errors.js";
import { numbersName, sameNumbers, type Numbers } from "../../core/forms/numbers.js";
import { option, wording, type Wording } from "../../core/wording.js";
import { modelTag } from "../../redis/keys.js";
import { agreedNumbers, agreeOnNumbers, modelsInUse } from "../../redis/models-in-use.js";
import type { RedisClient } from "../../redis/redis-client.js";
import type { Way, Ways } from "./way.js";

/** A way that others have settled, and the line that says so. */
export interface SettledWay {
  readonly way: Way;
  readonly line: string;
}

/**
 * @returns undefined if nobody serves the model, or has chosen for it
 * @throws RankmillError `invalid_option` if this host cannot compute what the fleet does
 */
export async function fleetWay(redis: RedisClient, ways: Ways): Promise<SettledWay | undefined> {
  const { model } = ways.reference;
  const agreed = await agreedNumbers(redis, modelTag(model));
  if (agreed !== undefined) return settled(agreed, ways);
  const served = await modelsInUse(redis, model.name);
  // One of the same numbers and another revision has other files: it is another model.
  const ours = served.filter((one) => {
    const way = wayIn(one, ways);
    return way === undefined || modelTag(way.model) === modelTag(one);
  });
  const [first] = ours;
  const here = ours.find((one) => wayIn(one, ways) !== undefined) ?? first;
  return here === undefined ? undefined : settled(here, ways);
}

/**
 * Proposes a choice to the fleet.
 *
 * @returns the way that the fleet takes: another one if another host was first
 * @throws RankmillError `invalid_option` if this host cannot compute that
 */
export async function agreeOnWay(
  redis: RedisClient,
  ways: Ways,
  own: SettledWay,
): Promise<SettledWay> {
  const numbers = await agreeOnNumbers(redis, modelTag(ways.reference.model), own.way.model);
  return sameNumbers(numbers, own.way.model) ? own : settled(numbers, ways);
}

function settled(numbers: Numbers, ways: Ways): SettledWay {
  const way = wayIn(numbers, ways);
  const name = numbersName(numbers);
  if (way !== undefined) {
    return { way, line: `precision auto: ${name}, which the fleet serves ${way.model.name} in` };
  }
  throw new RankmillError(
    "invalid_option",
    wording`${option("precision", "auto")}: the fleet serves ${ways.reference.model.name} in ${name}, and this host cannot (${whyNot(numbers, ways)}); a precision that you name gets a queue of its own`,
    { field: "precision" },
  );
}

function wayIn(numbers: Numbers, { open }: Ways): Way | undefined {
  return open.find(({ model }) => sameNumbers(model, numbers));
}

function whyNot(numbers: Numbers, { closed, reference }: Ways): Wording {
  const found = closed.find((way) => sameNumbers(way.numbers, numbers));
  return found?.why ?? wording`${reference.model.folder.path} has no such file`;
}
