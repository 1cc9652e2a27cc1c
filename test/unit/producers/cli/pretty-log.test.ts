import { afterEach, describe, expect, it } from "vitest";
import {
  chooseColour,
  hasColour,
  paint,
  painted,
  rendered,
} from "../../../../producers/cli/painted.js";
import { prettyLog } from "../../../../producers/cli/pretty-log.js";

const TIME = new Date(2026, 10, 29, 17, 45, 2).getTime();

function pretty(line: object): string {
  return String(prettyLog(JSON.stringify({ level: 30, time: TIME, pid: 1, ...line })));
}

describe("a log line for people", () => {
  it.each([
    [
      { msg: "ready", lanes: 2, drainTimeoutSeconds: 25 },
      "17:45:02 ready  lanes 2  drain timeout seconds 25",
    ],
    [{ level: 40, msg: "lane died", reason: "hung" }, "17:45:02 warning lane died  reason hung"],
    [
      { level: 50, err: { message: "gone", stack: "at…" }, msg: "redis connection" },
      "17:45:02 error redis connection: gone",
    ],
    [{ level: 50, err: { message: "gone" }, msg: "gone" }, "17:45:02 error gone"],
    [
      { level: 40, code: "no_file", message: "it is off" },
      "17:45:02 warning it is off  code no_file",
    ],
    [
      { msg: "serving gateway", host: "::1", port: 80, tls: true },
      "17:45:02 serving gateway https://[::1]:80",
    ],
  ])("%j is %s", (line, shown) => {
    expect(pretty(line)).toBe(shown);
  });

  it("what is no JSON is left as it is", () => {
    expect(prettyLog("a stack trace")).toBeUndefined();
  });
});

describe("colour", () => {
  const terminal = { isTTY: true };
  const { NO_COLOR, TERM } = process.env;
  afterEach(() => {
    chooseColour("auto");
    Object.assign(process.env, { TERM });
    if (NO_COLOR === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = NO_COLOR;
  });

  it("colour stands on a terminal, and not in a pipe, with NO_COLOR or on a dumb terminal", () => {
    delete process.env["NO_COLOR"];
    process.env["TERM"] = "xterm";
    expect([hasColour(terminal), hasColour({})]).toEqual([true, false]);
    process.env["NO_COLOR"] = "1";
    expect(hasColour(terminal)).toBe(false);
    process.env["NO_COLOR"] = "";
    process.env["TERM"] = "dumb";
    expect(hasColour(terminal)).toBe(false);
  });

  it("--color says more than the terminal", () => {
    chooseColour("always");
    expect(rendered(painted`${paint("red", "a")} b`, {})).toBe("\u001b[31ma\u001b[39m b");
    chooseColour("never");
    expect(rendered(paint("red", "a"), terminal)).toBe("a");
  });

  it("a text cannot bring control sequences of its own", () => {
    chooseColour("always");
    expect(rendered(paint("dim", "\u001b[2J"), terminal)).toBe("\u001b[2m\\u001b[2J\u001b[22m");
  });
});
