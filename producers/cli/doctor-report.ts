import { Help } from "commander";
import { LEVELS, type Finding, type Level } from "../../src/app/doctor/finding.js";
import { withFlags } from "./say-error.js";

const COLUMNS = 80;
const LEVEL_COLUMNS = 9;
/** The longest name of a check, and a space. */
const CHECK_COLUMNS = 18;
const TEXT_COLUMNS = COLUMNS - LEVEL_COLUMNS - CHECK_COLUMNS;
const ARROW = "→ ";

/** A finding for people: level, check, fact, and the remedy below it. */
export function describeFinding({ level, check, said, remedy }: Finding): string {
  const texts = wrapped(withFlags(said), TEXT_COLUMNS);
  const advice =
    remedy === undefined ? [] : wrapped(withFlags(remedy), TEXT_COLUMNS - ARROW.length);
  const lines = [
    ...texts,
    ...advice.map((line, i) => `${i === 0 ? ARROW : " ".repeat(ARROW.length)}${line}`),
  ];
  const head = level.padEnd(LEVEL_COLUMNS) + check.padEnd(CHECK_COLUMNS);
  return lines
    .map((line, i) => (i === 0 ? head : " ".repeat(head.length)) + line)
    .map((line) => line.trimEnd())
    .join("\n");
}

/** `12 ok, 2 notes, 1 warning, 0 problems`. */
export function summarize(findings: readonly Finding[]): string {
  return LEVELS.map((level) => {
    const count = findings.filter((one) => one.level === level).length;
    return `${count} ${level}${level === "ok" || count === 1 ? "" : "s"}`;
  }).join(", ");
}

/** One object for scripts. */
export function asJson(findings: readonly Finding[], worst: Level): string {
  return JSON.stringify({
    worst,
    findings: findings.map(({ check, level, said, remedy }) => ({
      check,
      level,
      said: withFlags(said),
      ...(remedy === undefined ? {} : { remedy: withFlags(remedy) }),
    })),
  });
}

/** Words longer than a line, as paths are, are cut: nothing is wider than the terminal. */
function wrapped(text: string, columns: number): string[] {
  const cut = text.replaceAll(new RegExp(`\\S{${columns}}(?=\\S)`, "g"), "$& ");
  return new Help().boxWrap(cut, columns).split("\n");
}
