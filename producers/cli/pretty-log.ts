/** Log lines for people: a time, a mark if something is wrong, the message, and what belongs to it. */
import { paint, painted, type Painted, type Style } from "./painted.js";

/** Numbers of pino's levels from which lines bear a mark. */
const MARKS: readonly (readonly [number, string, Style])[] = [
  [50, "error ", "red"],
  [40, "warning ", "yellow"],
];

/** Fields of every line, and those that are shown in another way. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["level", "time", "pid", "msg", "message", "err"]);
const ADDRESS: ReadonlySet<string> = new Set(["host", "port", "tls"]);

/** Values of a line that are longer are cut: a list of queues takes three rows, and tells a person nothing. */
const MOST_VALUE_CHARS = 60;

/** @param json a line of the structured log @returns undefined if it is none */
export function prettyLog(json: string): Painted | undefined {
  const fields = fieldsOf(json);
  if (fields === undefined) return undefined;
  const { level, time, msg, err } = fields;
  const [, mark, style] = MARKS.find(([least]) => Number(level) >= least) ?? [0, "", "dim"];
  const error = messageOf(err);
  const message = msg ?? fields["message"];
  const words = [typeof message === "string" ? message : "", error].filter((text) => text !== "");
  const said = words[0] === words[1] ? (words[0] ?? "") : words.join(": ");
  const address = addressOf(fields);
  const facts = Object.entries(fields)
    .filter(([name, value]) => !NOT_SHOWN.has(name) && value !== null)
    .filter(([name]) => address === "" || !ADDRESS.has(name))
    .map(([name, value]) => `  ${spaced(name)} ${shortened(value)}`);
  return painted`${paint("dim", clock(time))} ${paint(style, mark)}${said}${paint("cyan", address)}${paint("dim", facts.join(""))}`;
}

function fieldsOf(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}

/** The address that a line names, as one opens it; empty if it names none. */
function addressOf({ host, port, tls }: Readonly<Record<string, unknown>>): string {
  if (typeof host !== "string" || typeof port !== "number") return "";
  const name = host.includes(":") ? `[${host}]` : host;
  return ` ${tls === true ? "https" : "http"}://${name}:${port}`;
}

function clock(time: unknown): string {
  return typeof time === "number" ? new Date(time).toTimeString().slice(0, 8) : "";
}

function messageOf(error: unknown): string {
  const has = typeof error === "object" && error !== null && "message" in error;
  return has && typeof error.message === "string" ? error.message : "";
}

/** `drainTimeoutSeconds` as people write it: `drain timeout seconds`. */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function shortened(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= MOST_VALUE_CHARS ? text : `${text.slice(0, MOST_VALUE_CHARS - 1)}…`;
}
