import { describeError, wordingOf } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import type { Check } from "./check.js";
import { note, problem, type Finding, type Said } from "./finding.js";
import { CHECKS } from "./registry.js";
import type { Examined, ExaminedServer, Subject } from "./subject.js";

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Makes all checks, one after the other, so that none disturbs another's measurement.
 *
 * @param tell hears each finding as it is made
 * @returns all findings; a check that fails or hangs is a finding too
 */
export async function examine(
  subject: Subject,
  tell: (finding: Finding) => void,
  checks: readonly Check[] = CHECKS,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const add = (check: string, said: readonly Said[]): void => {
    for (const one of said) {
      const finding = { check, ...one };
      findings.push(finding);
      tell(finding);
    }
  };
  add("redis", missing(subject.redis, "the Redis of a worker"));
  add("model", missing(subject.model, "the model on this machine"));
  for (const check of checks) add(check.name, await outcomeOf(check, subject));
  return findings;
}

function missing(part: Examined<unknown>, what: string): Said[] {
  if (part.status === "there") return [];
  if (part.status === "unnamed") {
    return [note(`not checked: ${what}`, wording`name it with ${option(part.option)}`)];
  }
  return [problem(part.why, "mend that and run the doctor again: the rest was not checked")];
}

async function outcomeOf(check: Check, subject: Subject): Promise<readonly Said[]> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = check;
  try {
    const outcome = await waitAtMost(run(check, subject), timeoutMs);
    if (outcome.status === "settled") return outcome.value;
    return [problem(`no end after ${timeoutMs / 1_000} s`, "see what hangs: a disk, Redis, a CPU")];
  } catch (error) {
    const { code } = describeError(error);
    return [problem(wordingOf(error), `see docs/errors.md for ${code}`)];
  }
}

async function run(check: Check, { redis, model, ...rest }: Subject): Promise<Said[]> {
  const subject = { redis, model, ...rest };
  if (check.needs === "nothing") return await check.run(subject);
  if (check.needs === "redis") {
    return redis.status === "there" ? await check.run(redis.part, subject) : [];
  }
  if (check.needs === "server") {
    if (redis.status !== "there") return [];
    return await ofEach(redis.part.servers, async (server) => await check.run(server, subject));
  }
  return model.status === "there" ? await check.run(model.part, subject) : [];
}

function same(a: Said, b: Said): boolean {
  return a.level === b.level && String(a.said) === String(b.said);
}

/** What is true of all masters of a cluster is said once; the rest with their addresses. */
async function ofEach(
  servers: readonly ExaminedServer[],
  ask: (server: ExaminedServer) => Promise<Said[]>,
): Promise<Said[]> {
  const all: { readonly address: string | undefined; readonly one: Said }[] = [];
  for (const server of servers) {
    for (const one of await ask(server)) all.push({ address: server.address, one });
  }
  return all.flatMap(({ address, one }, i) => {
    const equal = all.filter((other) => same(other.one, one));
    if (address === undefined) return [one];
    if (equal.length < servers.length) return [{ ...one, said: wording`${address}: ${one.said}` }];
    return all.findIndex((other) => same(other.one, one)) === i ? [one] : [];
  });
}
