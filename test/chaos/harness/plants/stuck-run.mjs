// Who collects a run never sees the result of one job of ten.
import { compiled, isCommand, isPicked } from "./patch.mjs";

if (isCommand("run", "runner", "worker")) {
  const { RedisResultStore } = await compiled("redis/redis-result-store.js");
  const { read } = RedisResultStore.prototype;
  RedisResultStore.prototype.read = async function (jobIds) {
    const ends = await read.call(this, jobIds);
    return ends.map((end, i) => (isPicked(jobIds[i], 10) ? undefined : end));
  };
  const { RedisJobQueue } = await compiled("redis/redis-job-queue.js");
  // Nor is it found missing.
  const { states } = RedisJobQueue.prototype;
  RedisJobQueue.prototype.states = async function (jobIds) {
    const all = await states.call(this, jobIds);
    return all.map((state, i) => (isPicked(jobIds[i], 10) ? "queued" : state));
  };
}
