import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTokenizer } from "../../../src/tokenizers/open-tokenizer.js";
import { ThreadTokenizer } from "../../../src/tokenizers/thread/thread-tokenizer.js";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../../", import.meta.url));
const BERT = join(repository, "test/fixtures/models/bert");
const DYING_THREAD = pathToFileURL(join(repository, "test/fixtures/tokenizer/dying-thread.mjs"));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-tokenizer-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the opening of a folder", () => {
  it("prefers the library that models were trained with", async () => {
    const { tokenizer, template } = await openTokenizer(BERT);
    await tokenizer.close();
    expect(tokenizer.kind).toBe("tokenizers");
    expect(template).toEqual({
      prefix: [2],
      middle: [3],
      suffix: [3],
      segmentTypeIds: true,
      padId: 0,
    });
  });

  it("says what to do if tokenizer.json is missing", async () => {
    await expect(openTokenizer(folder)).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringContaining("tokenizer.json is missing") as string,
    });
  });

  it.each([
    ["is not JSON", "{", "is not JSON"],
    ["is something else", '{"model": 3}', "is not a tokenizer"],
    ["has no pair template", '{"model": {"type": "BPE"}}', "how a query and a document are joined"],
    [
      "is refused by the library",
      JSON.stringify({
        model: { type: "WordPiece", vocab: "none" },
        post_processor: { type: "BertProcessing", cls: ["a", 1], sep: ["b", 2] },
      }),
      "cannot be loaded by tokenizers",
    ],
  ])("fails if its tokenizer.json %s", async (_what, content, message) => {
    await writeFile(join(folder, "tokenizer.json"), content);
    await expect(openTokenizer(folder)).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringContaining(message) as string,
    });
  });

  it("says which library to install if there is neither", async () => {
    // A copy of the program beside which nothing but zod is installed.
    for (const part of ["src", "workers"]) {
      await cp(join(repository, "dist", part), join(folder, part), { recursive: true });
    }
    await mkdir(join(folder, "node_modules"));
    await symlink(join(repository, "node_modules/zod"), join(folder, "node_modules/zod"));
    await writeFile(join(folder, "package.json"), '{"type": "module"}');
    const program = `
      import { openTokenizer } from "./src/tokenizers/open-tokenizer.js";
      await openTokenizer(process.argv[2]).catch(({ code, message }) => console.log(code, message));
    `;
    await writeFile(join(folder, "main.js"), program);
    const { stdout } = await run(process.execPath, [join(folder, "main.js"), BERT]);
    expect(stdout).toContain("missing_dependency");
    expect(stdout).toContain(
      "`npm install --ignore-scripts tokenizers` or `npm install --ignore-scripts @huggingface/transformers`",
    );
  });
});

describe("a tokenizer in its thread", () => {
  it("leaves the event loop free while it reads two megabytes", async () => {
    const { tokenizer } = await openTokenizer(BERT);
    let turns = 0;
    let done = false;
    const spin = (): void => {
      turns += 1;
      if (!done) setImmediate(spin);
    };
    spin();
    const [ids] = await tokenizer.encode(["the mill turns ".repeat(140_000)]);
    done = true;
    await tokenizer.close();
    expect(ids?.length).toBeGreaterThan(400_000);
    // A tokenizer that blocks the loop leaves it a turn or two.
    expect(turns).toBeGreaterThan(10);
  });

  it("answers many callers at once, each with its own", async () => {
    const { tokenizer } = await openTokenizer(BERT);
    const texts = Array.from({ length: 50 }, (_, index) => "a ".repeat(index));
    const answers = await Promise.all(texts.map((text) => tokenizer.encode([text, "b"])));
    await tokenizer.close();
    expect(answers.map(([ids]) => ids?.length)).toEqual(texts.map((_, index) => index));
  });

  it("rejects what is under way and what comes after once it is closed", async () => {
    const { tokenizer } = await openTokenizer(BERT);
    const underWay = tokenizer.encode(["a"]);
    const settled = Promise.allSettled([underWay]);
    await tokenizer.close();
    expect(await settled).toMatchObject([{ status: "rejected", reason: { code: "cancelled" } }]);
    await expect(tokenizer.encode(["a"])).rejects.toMatchObject({ code: "cancelled" });
    await tokenizer.close();
  });

  it("is started again after its thread died, with an error for what it held", async () => {
    const data = { folder, choice: "tokenizers", compiledDir: undefined } as const;
    const { tokenizer } = await ThreadTokenizer.open(DYING_THREAD, data);
    const [died, alsoHeld, waited] = await Promise.allSettled([
      tokenizer.encode(["die"]),
      tokenizer.encode(["four"]),
      tokenizer.encode(["seven77"]),
    ]);
    expect(died).toMatchObject({ status: "rejected", reason: { code: "internal" } });
    expect(alsoHeld.status).toBe("rejected");
    expect(waited).toMatchObject({ status: "fulfilled", value: [Int32Array.of(7)] });
    expect(await tokenizer.encode(["ab"])).toEqual([Int32Array.of(2)]);
    await tokenizer.close();
  });

  it.runIf(process.platform === "linux")(
    "loads no native library for @huggingface/transformers",
    async () => {
      const program = `
        import { readFileSync } from "node:fs";
        import { openTokenizer } from ${JSON.stringify(
          pathToFileURL(join(repository, "dist/src/tokenizers/open-tokenizer.js")).href,
        )};
        const { tokenizer } = await openTokenizer(process.argv[1], { kind: "transformers" });
        await tokenizer.encode(["a"]);
        console.log(readFileSync("/proc/self/maps", "utf8"));
        await tokenizer.close();
      `;
      const args = ["--input-type=module", "--eval", program, BERT];
      const { stdout } = await run(process.execPath, args, { maxBuffer: 16_777_216 });
      expect(stdout).toContain("[heap]");
      expect(stdout).not.toMatch(/onnxruntime|libvips|\.node$/m);
    },
  );
});
