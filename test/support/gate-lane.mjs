// Loaded before a lane's own code, see gate.ts: each message but the one that opens the model waits
// until the test lets it pass. Any other process that inherits the variable goes on as it is.
import { connect } from "node:net";

const socketPath = process.env.RANKMILL_TEST_GATE;

if (socketPath !== undefined && /\bworkers[\\/]lane\.js$/.test(process.argv[1] ?? "")) {
  const gate = connect(socketPath);
  const held = [];
  // A gate that is gone holds nothing.
  let open = false;
  const passOne = () => held.shift()?.();
  gate.on("data", (bytes) => bytes.forEach(passOne));
  gate.on("error", () => {});
  gate.on("close", () => {
    open = true;
    held.splice(0).forEach((pass) => pass());
  });
  gate.unref();

  const emit = Reflect.get(process, "emit");
  process.emit = function (name, ...values) {
    const pass = () => emit.call(process, name, ...values);
    if (name !== "message" || values[0]?.type === "open" || open) return pass();
    held.push(pass);
    gate.write("?");
    return true;
  };
}
