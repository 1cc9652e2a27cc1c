/** `rankmill serve` as its clients see it. */
import type { CliOptions, RunningCli } from "./cli.js";
import { words } from "./cli.js";
import type { Fleet } from "./fleet.js";

export interface TestGateway {
  readonly url: string;
  readonly running: RunningCli;
  /** Posts a body as JSON. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** No test depends on a machine's speed: one that wants an early end asks with `Prefer: wait=N`. */
const PATIENT = "--port 0 --deadline 300";

/** A gateway that listens. @param line more arguments, as one types them */
export async function startGateway(
  fleet: Fleet,
  line = "",
  options: CliOptions = {},
): Promise<TestGateway> {
  return await gatewayOf(fleet.bench.start(["serve", ...words(`${PATIENT} ${line}`)], options));
}

/** The gateway of a command, once it listens. */
export async function gatewayOf(running: RunningCli): Promise<TestGateway> {
  await running.says("serving gateway");
  const said = running.stdout.split("\n").find((one) => one.includes("serving gateway"));
  const { port } = JSON.parse(said ?? "") as { port: number };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    running,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
  };
}
