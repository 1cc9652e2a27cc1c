// Loaded before the command line's own code, see gate.ts: each release of jobs whose rankings are written
// waits until the test lets it pass. Any other process that inherits the variable goes on as it is.
import { connect } from "node:net";

const socketPath = process.env.RANKMILL_TEST_RELEASE_GATE;
const [, program = "", command] = process.argv;

if (socketPath !== undefined && /\bcli[\\/]main\.js$/.test(program) && command === "run") {
  const gate = connect(socketPath);
  const held = [];
  gate.on("data", (bytes) => bytes.forEach(() => held.shift()?.()));
  gate.unref();

  const url = new URL("../../dist/src/redis/redis-job-queue.js", import.meta.url);
  const { RedisJobQueue } = await import(url.href);
  const { release } = RedisJobQueue.prototype;
  RedisJobQueue.prototype.release = async function (...values) {
    await new Promise((pass) => {
      held.push(pass);
      gate.write("?");
    });
    return await release.apply(this, values);
  };
}
