import { lanesOf, look, processes } from "../../../support/processes.js";
import type { Arena } from "../arena.js";
import { pickOf, type Fault, type FaultKind, type Struck } from "../fault.js";
import type { Service } from "../service.js";

interface Victim {
  readonly name: string;
  readonly pid: number;
}

function running(services: readonly Service[]): Victim[] {
  return services.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
}

function lanes({ workers, owners }: Arena): Victim[] {
  return running([...workers, ...owners]).flatMap(({ name, pid }) =>
    lanesOf(pid).map((lane) => ({ name: `lane of ${name}`, pid: lane.pid })),
  );
}

/** The arena's processes by what they do; an owner feeds and collects: a runner, or `run` itself. */
const FIND = {
  worker: ({ workers }: Arena): Victim[] => running(workers),
  owner: ({ owners }: Arena): Victim[] => running(owners),
  lane: lanes,
  /** Who holds the Redis of `run`'s own. */
  guardian: ({ owners }: Arena): Victim[] => children(running(owners), "rankmill-redis-guardian"),
  privateRedis: (arena: Arena): Victim[] => children(FIND.guardian(arena), "redis-server"),
} as const;

function children(parents: readonly Victim[], command: string): Victim[] {
  const pids = new Set(parents.map(({ pid }) => pid));
  return processes()
    .filter((one) => pids.has(one.parentPid) && one.command.includes(command))
    .map(({ pid }) => ({ name: command, pid }));
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

function kill(find: (arena: Arena) => Victim[]): FaultKind {
  return {
    strike: async (arena, fault) => {
      const victim = pickOf(find(arena), fault);
      if (victim === undefined || !signal(victim.pid, "SIGKILL")) return undefined;
      return await Promise.resolve({ victim: victim.name });
    },
  };
}

async function stop(victim: Victim | undefined): Promise<Struck | undefined> {
  if (victim === undefined || !signal(victim.pid, "SIGSTOP")) return undefined;
  const heal = (): void => {
    // The same process, not another that has its number by now.
    if (look(victim.pid)?.state === "T") signal(victim.pid, "SIGCONT");
  };
  return await Promise.resolve({ victim: victim.name, heal });
}

/** Two frozen at once would stop a fleet of two without any fault of its own: one at a time. */
function freeze(find: (arena: Arena) => Victim[], lasts: readonly [number, number]): FaultKind {
  return {
    lasts,
    part: "freeze",
    strike: async (arena: Arena, fault: Fault) => await stop(pickOf(find(arena), fault)),
  };
}

export const PROCESS_FAULTS = {
  "kill-worker": kill(FIND.worker),
  "kill-lane": kill(FIND.lane),
  "kill-owner": kill(FIND.owner),
  "kill-private-redis": kill(FIND.privateRedis),
  "kill-guardian": kill(FIND.guardian),
  "stop-worker": freeze(FIND.worker, [5, 40]),
  "stop-lane": freeze(FIND.lane, [5, 30]),
  "stop-owner": freeze(FIND.owner, [5, 25]),
} as const satisfies Record<string, FaultKind>;
