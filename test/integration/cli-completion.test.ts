/** Completion in the shells themselves, and the manual page as man shows it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench } from "../support/cli.js";
import { bash, fish, given, man, zsh } from "../support/needs.js";

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

/** Writes the completion of a shell, runs `script` in that shell, and gives what it prints. */
async function complete(shell: "bash" | "zsh" | "fish", script: string): Promise<string[]> {
  const { code, stdout } = await bench.ask(["completion", shell]);
  expect(code).toBe(0);
  const file = bench.path(`completion.${shell}`);
  writeFileSync(file, stdout);
  const said = execFileSync(shell, ["-c", script.replace("FILE", file)], { encoding: "utf8" });
  return said.trimEnd().split("\n");
}

describe("completion in bash", given(bash), () => {
  it.each([
    [["sta"], ["status"]],
    [["run", "--prec"], ["--precision"]],
    [["run", "--precision", "int"], ["int8"]],
    [["run", "--precision", "=", "int"], ["int8"]],
    [["run", "--model", "builtin"], ["builtin-bm25"]],
    [["models", "pu"], ["pull"]],
    [["models", "pull", "--rev"], ["--revision"]],
    [["status", "--color", "nev"], ["never"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["run", "--output", "o"], [""]],
  ])("rankmill %j is completed to %j", async (words, found) => {
    const typed = ["rankmill", ...words].map((word) => `'${word}'`).join(" ");
    const script = `source FILE; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _rankmill; printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(await complete("bash", script)).toEqual(found);
  });
});

describe("completion in fish", given(fish), () => {
  it("fish completes commands with what they do, options and their values", async () => {
    const lines = ["sta", "run --precision int", "models pul", "run --prec"];
    const script = `source FILE; ${lines.map((line) => `complete -C 'rankmill ${line}'`).join("; ")}`;
    expect((await complete("fish", script)).map((line) => line.split("\t")[0])).toEqual([
      "status",
      "int8",
      "pull",
      "--precision",
    ]);
  });
});

/** The widgets that only an interactive zsh has. */
const ZSH_WIDGETS = `compdef() { : }; compadd() { shift; print -- "$@" }; _files() { print files }
_describe() { local name=\${@[-1]}; print -l -- \${(P)name} }`;

describe("completion in zsh", given(zsh), () => {
  it.each([
    [["models", ""], /^list:.+\nrecommend:.+\ninfo:.+\npull:.+\n/],
    [["run", "--precision", ""], /^auto fp32 bf16 fp16 int8 uint8 w8 q4 q4f16 bnb4$/],
    [["run", "--output", ""], /^files$/],
    [["models", "pull", "--"], /^--precision:[^]+\n--revision:/],
  ])("zsh offers for rankmill %j what fits", async (words, offered) => {
    const typed = ["rankmill", ...words].map((word) => `'${word}'`).join(" ");
    const script = `${ZSH_WIDGETS}\nsource FILE; words=(${typed}); CURRENT=${words.length + 1}; _rankmill`;
    expect((await complete("zsh", script)).join("\n")).toMatch(offered);
  });
});

describe("the manual page", given(man), () => {
  it("man shows every command, and warns of nothing in the page", () => {
    const said = execFileSync("man", ["--warnings", "-l", "docs/rankmill.1"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, MANWIDTH: "80", MAN_KEEP_FORMATTING: "" },
    });
    expect(said).toMatch(/^ +rankmill models pull <model>$/m);
    expect(said).toMatch(/^ +--redis-url <url>$/m);
  });
});
