// Loaded before a worker's own code, see gate.ts: each message to the tokenizer's thread waits until the
// test lets it pass. Any other process that inherits the variable goes on as it is.
import { connect } from "node:net";
import { Worker } from "node:worker_threads";

const socketPath = process.env.RANKMILL_TEST_TOKENIZER_GATE;
const [, program = "", command] = process.argv;

if (socketPath !== undefined && /\bcli[\\/]main\.js$/.test(program) && command === "worker") {
  const gate = connect(socketPath);
  const held = [];
  gate.on("data", (bytes) => bytes.forEach(() => held.shift()?.()));
  gate.unref();

  const postMessage = Reflect.get(Worker.prototype, "postMessage");
  Worker.prototype.postMessage = function (message, ...more) {
    const pass = () => postMessage.call(this, message, ...more);
    if (Array.isArray(message?.texts)) {
      held.push(pass);
      gate.write("?");
    } else {
      pass();
    }
  };
}
