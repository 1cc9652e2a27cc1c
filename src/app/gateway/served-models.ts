import { RankmillError } from "../../core/errors.js";
import { numbersName, sameNumbers } from "../../core/forms/numbers.js";
import { SingleFlightPoll } from "../../platform/single-flight-poll.js";
import { modelTag } from "../../redis/keys.js";
import { differsInForm, listServedModels, type ServedModel } from "../../redis/model-registry.js";
import { listWorkers, type WorkerAnnouncement } from "../../redis/worker-registry.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The workers of a model, and when one of them was last seen. */
export interface ModelAtWork {
  readonly model: ServedModel;
  readonly tag: string;
  readonly workers: readonly WorkerAnnouncement[];
}

export interface ModelNames {
  /** Names of the operator's own, in lower case → the name of a served model. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The model of requests that name none. */
  readonly defaultModel: string | undefined;
}

/** A model that answers by words alone; nobody who asks for a reranker means it unless he says so. */
const LEXICAL_MODEL = "builtin-bm25";
/** What is known of the workers is at most this old. */
const FRESH_MS = 1_000;
/** Redis has this long for an answer, and a gateway that just starts under load for reading it. */
const ANSWER_MS = 5_000;
/** A worker that is being restarted is not missed: jobs wait in the queue meanwhile. */
const MISSED_AFTER_MS = 60_000;

/** The models that workers serve at present, by the names that requests may give them. */
export class ServedModels {
  readonly #names: ModelNames;
  readonly #poll: SingleFlightPoll<ModelAtWork[]>;
  #known: ModelAtWork[] | undefined;
  #askedAtMs = -Infinity;
  readonly #seenAtMs = new Map<string, number>();

  constructor(redis: RedisClient, names: ModelNames) {
    this.#names = names;
    this.#poll = new SingleFlightPoll(() => readModels(redis), ANSWER_MS);
  }

  /**
   * The models with a worker, by name.
   *
   * @throws RankmillError `redis_unavailable` if Redis does not answer
   */
  async list(): Promise<readonly ModelAtWork[]> {
    return (await this.#read()).filter(({ workers }) => workers.length > 0);
  }

  /** The name by which a request gets exactly this model. */
  async idOf(one: ModelAtWork): Promise<string> {
    const { name } = one.model;
    const equal = (await this.list()).filter(({ model }) => model.name === name);
    if (equal.length <= 1) return name;
    const same = equal.filter(({ model }) => sameNumbers(model, one.model));
    return same.length <= 1 ? `${name}:${numbersName(one.model)}` : one.tag;
  }

  /**
   * The model that a request means. Its last worker may have stopped within the last minute.
   *
   * @param name undefined: the default model, else the only one that is served
   * @throws RankmillError `model_not_found`, which lists those that are served; `model_ambiguous`;
   *   `redis_unavailable`
   */
  async find(name: string | undefined): Promise<ModelAtWork> {
    const wanted = name ?? this.#names.defaultModel;
    const models = (await this.#read()).filter(({ tag }) => this.#isServed(tag));
    if (wanted === undefined) return only(models);
    const target = this.#names.aliases.get(wanted.toLowerCase()) ?? wanted;
    const found = models.filter((one) => isCalled(one, target.toLowerCase()));
    const [first] = found;
    // Of several forms of one model the first is meant, as by every producer: the file's own numbers.
    if (first !== undefined && found.every(({ model }) => differsInForm(model, first.model))) {
      return first;
    }
    if (first === undefined) {
      throw notFound(`no worker serves the model ${JSON.stringify(wanted)}`, models);
    }
    const names = found.map(({ model, tag }) => `${model.name}:${numbersName(model)} or ${tag}`);
    throw new RankmillError(
      "model_ambiguous",
      `model: ${JSON.stringify(wanted)} is served in several forms: ask for ${names.join(", ")}`,
      { field: "model", context: { model: wanted } },
    );
  }

  /** Aliases of the operator's own, each with the name that it stands for. */
  get aliases(): ReadonlyMap<string, string> {
    return this.#names.aliases;
  }

  #isServed(tag: string): boolean {
    const seenAtMs = this.#seenAtMs.get(tag);
    return seenAtMs !== undefined && performance.now() - seenAtMs < MISSED_AFTER_MS;
  }

  async #read(): Promise<readonly ModelAtWork[]> {
    if (this.#known !== undefined && performance.now() - this.#askedAtMs < FRESH_MS) {
      return this.#known;
    }
    const models = await this.#poll.answer();
    if (models === undefined) {
      // Redis is slow, or gone: the gateway finds that out by itself.
      if (this.#known !== undefined && performance.now() - this.#askedAtMs < MISSED_AFTER_MS) {
        return this.#known;
      }
      throw new RankmillError("redis_unavailable", `Redis has not answered for ${ANSWER_MS} ms`);
    }
    const nowMs = performance.now();
    this.#known = models;
    this.#askedAtMs = nowMs;
    for (const { tag, workers } of models) if (workers.length > 0) this.#seenAtMs.set(tag, nowMs);
    return models;
  }
}

async function readModels(redis: RedisClient): Promise<ModelAtWork[]> {
  const models = await listServedModels(redis);
  const atWork = await Promise.all(
    models.map(async (model) => {
      const tag = modelTag(model);
      return { model, tag, workers: await listWorkers(redis, tag) };
    }),
  );
  return atWork.sort((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
}

/** By tag, of one model's forms the file's own numbers first. */
function orderOf({ model }: ModelAtWork): string {
  return `${modelTag({ ...model, form: undefined })} ${model.form ?? ""}`;
}

function only(models: readonly ModelAtWork[]): ModelAtWork {
  const [first, ...others] = models.filter(({ model }) => model.name !== LEXICAL_MODEL);
  if (first !== undefined && others.every(({ model }) => differsInForm(model, first.model))) {
    return first;
  }
  const why =
    others.length > 0 ? "several models are served" : "no model is served that needs no naming";
  throw notFound(`model: is missing, and ${why}`, models);
}

function notFound(what: string, models: readonly ModelAtWork[]): RankmillError {
  const names = [...new Set(models.map(({ model }) => model.name))];
  const list = names.length === 0 ? "none" : names.join(", ");
  return new RankmillError("model_not_found", `${what}; served are: ${list}`, { field: "model" });
}

/** @param name in lower case */
function isCalled({ model, tag }: ModelAtWork, name: string): boolean {
  const names = [model.name, ...model.aliases].map((one) => one.toLowerCase());
  return (
    names.includes(name) ||
    names.some((one) =>
      [model.precision, numbersName(model)].some((word) => `${one}:${word}` === name),
    ) ||
    tag === name
  );
}
