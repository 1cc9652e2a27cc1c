import type { Command } from "commander";

/** A command whose code is loaded only if it is the one that was typed: loading all takes a second. */
export interface CommandEntry {
  readonly name: string;
  /** Its line in the help of `rankmill`. */
  readonly description: string;
  /** Names of the commands below it. */
  readonly below?: readonly string[];
  readonly load: () => Promise<(command: Command) => void>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    description: "rerank a file, from input to output, in one command",
    load: async () => (await import("./run.js")).defineRun,
  },
  {
    name: "show",
    description: "show rankings of a run: query, documents, scores",
    load: async () => (await import("./show.js")).defineShow,
  },
  {
    name: "init",
    description: "write an example, a compose file and its settings into a folder",
    load: async () => (await import("./init.js")).defineInit,
  },
  {
    name: "worker",
    description: "serve a model's queues until told to stop",
    load: async () => (await import("./worker.js")).defineWorker,
  },
  {
    name: "runner",
    description: "own spooled runs: feed them to the workers and collect their rankings",
    load: async () => (await import("./runner.js")).defineRunner,
  },
  {
    name: "serve",
    description: "answer the rerank APIs of other servers over HTTP, with workers behind it",
    load: async () => (await import("./serve.js")).defineServe,
  },
  {
    name: "submit",
    description: "enqueue a file as a run and leave; workers do the rest",
    load: async () => (await import("./submit.js")).defineSubmit,
  },
  {
    name: "status",
    description: "show how a submitted run stands",
    load: async () => (await import("./status.js")).defineStatus,
  },
  {
    name: "results",
    description: "write a submitted run's rankings to a file, in the order of its input",
    load: async () => (await import("./results.js")).defineResults,
  },
  {
    name: "failures",
    description: "list the failures of a run: records, and single documents of ranked records",
    load: async () => (await import("./failures.js")).defineFailures,
  },
  {
    name: "cancel",
    description: "stop a submitted run and keep its rankings; needs REDIS_URL",
    load: async () => (await import("./run-control.js")).defineCancel,
  },
  {
    name: "retry",
    description: "enqueue failed and cancelled records again; needs REDIS_URL",
    load: async () => (await import("./run-control.js")).defineRetry,
  },
  {
    name: "purge",
    description: "remove a run, its rankings included, from Redis and from the spool",
    load: async () => (await import("./purge.js")).definePurge,
  },
  {
    name: "eval",
    description: "measure rankings against judgements, before and after reranking",
    load: async () => (await import("./eval.js")).defineEval,
  },
  {
    name: "health",
    description: "report whether the worker behind the health file is healthy",
    load: async () => (await import("./health.js")).defineHealth,
  },
  {
    name: "doctor",
    description: "examine this machine and its Redis, and say what to do",
    load: async () => (await import("./doctor.js")).defineDoctor,
  },
  {
    name: "dashboard",
    description: "show runs, workers and queues in a browser",
    load: async () => (await import("./dashboard.js")).defineDashboard,
  },
  {
    name: "keys",
    description: "add, list and revoke the keys of the gateway",
    below: ["add", "list", "revoke"],
    load: async () => (await import("./keys.js")).defineKeys,
  },
  {
    name: "models",
    description: "find, fetch and check models",
    below: ["list", "recommend", "info", "pull", "verify", "prepare"],
    load: async () => (await import("./models.js")).defineModels,
  },
  {
    name: "setup",
    description: "fetch parts that only some machines need",
    below: ["cuda", "openvino"],
    load: async () => (await import("./setup.js")).defineSetup,
  },
  {
    name: "schema",
    description: "print the JSON Schema of an input or output line, or of a run's status",
    load: async () => (await import("./schema.js")).defineSchema,
  },
  {
    name: "config",
    description: "show where the values of options come from",
    load: async () => (await import("./config.js")).defineConfig,
  },
  {
    name: "completion",
    description: "print a script that makes a shell complete commands, options and models",
    load: async () => (await import("./completion.js")).defineCompletion,
  },
];
