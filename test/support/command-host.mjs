// Runs commands one after another in one process, for command-host.ts: each has its own arguments,
// variables and folder, and a mark after all that it has written to either stream.
import process from "node:process";

const { runCommand } = await import(process.argv[2]);
// Each command listens for signals of its own.
process.setMaxListeners(0);

const written = (stream, text) => new Promise((resolve) => stream.write(text, resolve));

function takeCode() {
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return code;
}

async function run({ args, env, cwd, mark }) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(cwd);
  await runCommand(args);
  const code = takeCode();
  await Promise.all([written(process.stdout, mark), written(process.stderr, mark)]);
  process.send({ code });
}

process.on("message", (command) => void run(command));
process.on("disconnect", () => process.exit());
