import process from "node:process";
import { pino, type DestinationStream, type LogFn, type Logger } from "pino";
import { explainRefusal } from "../../src/redis/redis-refusal.js";
import { EqualLines } from "./equal-lines.js";
import { argsOfConfig } from "./config/apply-config.js";
import { writeLines } from "./live-block.js";
import { rendered } from "./painted.js";
import { prettyLog } from "./pretty-log.js";
import { redactor } from "./secrets.js";

/** pino's number of `warn`: below it nothing is left out. */
const WARN = 40;
const LEFT_OUT_INTERVAL_MS = 60_000;

type LogFormat = "pretty" | "json";

/** The level and the format that were asked for. */
interface LogStyle {
  readonly level: string;
  /** Undefined: the one that fits the stream. */
  readonly format: LogFormat | undefined;
}

/**
 * Structured logs. Secrets are not logged; those that an error brings along are redacted. A few
 * of equal warnings and errors are written per minute, the rest is counted.
 */
export function createLogger(
  { level, format }: LogStyle,
  fd: 1 | 2,
  env: NodeJS.ProcessEnv,
): Logger {
  const redact = redactor(env, [...process.argv, ...argsOfConfig()]);
  const equal = new EqualLines();
  let telling = false;
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      redact: ["*.password", "*.token", "*.url", "redisUrl"],
      serializers: { err: briefly },
      hooks: {
        streamWrite: redact,
        logMethod(args: Parameters<LogFn>, method: LogFn, number: number) {
          if (number < WARN || telling) return method.apply(this, args);
          const leftOut = equal.admit(textOf(args));
          if (leftOut === undefined) return;
          if (leftOut > 0) tellLeftOut(textOf(args), leftOut);
          method.apply(this, args);
        },
      },
    },
    destinationOf(fd, format),
  );
  const tellLeftOut = (text: string, leftOut: number): void => {
    telling = true;
    logger.warn({ leftOut, of: text }, "equal lines were left out");
    telling = false;
  };
  const tellAll = (): void => {
    for (const { text, leftOut } of equal.takeLeftOut()) tellLeftOut(text, leftOut);
  };
  setInterval(tellAll, LEFT_OUT_INTERVAL_MS).unref();
  process.once("exit", tellAll);
  return logger;
}

/** Short lines on a terminal; JSON goes straight to a file or pipe. */
function destinationOf(fd: 1 | 2, wanted: LogFormat | undefined): DestinationStream {
  const stream = fd === 1 ? process.stdout : process.stderr;
  const format = wanted ?? (stream.isTTY ? "pretty" : "json");
  if (format === "json" && !stream.isTTY) return pino.destination({ fd, sync: true });
  const inFormat = (line: string): string => {
    const pretty = format === "pretty" ? prettyLog(line) : undefined;
    return pretty === undefined ? line : `${rendered(pretty, stream)}\n`;
  };
  return { write: (line) => writeLines(stream, inFormat(line)) };
}

/** A refusal of Redis' says all in its words: neither the script nor the stack that met it tells more. */
function briefly(error: Error): object {
  const refusal = explainRefusal(error);
  return refusal === undefined
    ? pino.stdSerializers.err(error)
    : { type: error.name, message: refusal };
}

/** The words of a line: its message and that of its error. */
function textOf(args: readonly unknown[]): string {
  return args
    .map((arg) => {
      if (typeof arg === "string") return arg;
      const error = typeof arg === "object" && arg !== null && "err" in arg ? arg.err : arg;
      return error instanceof Error ? error.message : "";
    })
    .filter((text) => text !== "")
    .join(": ");
}
