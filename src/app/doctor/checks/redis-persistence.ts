import type { Check } from "../check.js";
import { note, ok, problem, warning, type Said } from "../finding.js";

/** Waiting jobs outlive a restart of the server, and its disk takes what it writes. */
export const redisPersistence: Check = {
  name: "redis-persistence",
  needs: "server",
  run: async ({ info, description: { server, aofEnabled } }) => {
    const said: Said[] = [];
    if (info.get("aof_last_write_status") === "err") {
      said.push(
        problem(
          "the last write to the append-only file failed: writes are refused",
          "free space on the server's disk, and see its log",
        ),
      );
    }
    if (info.get("rdb_last_bgsave_status") === "err") {
      said.push(
        problem(
          "the last snapshot failed: Redis refuses writes by default then",
          "free space and memory (vm.overcommit_memory=1) on the server, then BGSAVE",
        ),
      );
    }
    if (server === "js-redis-server") {
      said.push(note("this server keeps nothing on disk", "use Redis or Valkey for real work"));
    } else if (!aofEnabled) {
      said.push(
        warning(
          "the append-only file is off: a restart may lose waiting jobs",
          "CONFIG SET appendonly yes, and the same in redis.conf",
        ),
      );
    }
    return await Promise.resolve(said.length > 0 ? said : [ok("append-only file, written well")]);
  },
};
