/**
 * Every file that is kept, with a bit flipped, its end cut off, or a byte twice: all that it held is given as it
 * was, or the damage is said in one line and costs that file or that record alone.
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSpool } from "../../src/outputs/spool/registry.js";
import { S3Bucket } from "../../src/outputs/spool/s3-bucket.js";
import { s3Place } from "../../src/outputs/spool/s3-place.js";
import { DAMAGE_KINDS, damaged, type DamageKind } from "../support/damage.js";
import { KEPT_FILES, readSpool, writeSpool, type Found } from "../support/kept-files.js";
import { SeededRandom } from "../support/random.js";
import { TestS3 } from "../support/s3-server.js";

const SEED = 7;
const PLACES_PER_KIND = 4;
/** A server takes longer. */
const PLACES_IN_BUCKET = 2;
const MAX_LINE_CHARS = 5_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-kept-files-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function filesIn(place: string): string[] {
  return readdirSync(place, { recursive: true, encoding: "utf8" })
    .map((name) => join(place, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** @param mayBeSilent whether what is missing may be what a crash leaves */
function expectSound(found: Found, whole: Found, mayBeSilent: boolean, shown: string): void {
  for (const one of found.value) expect(whole.value, shown).toContain(one);
  expect(new Set(found.value).size, shown).toBe(new Set(whole.value).size - missing(found, whole));
  const isSilent = missing(found, whole) > 0 && found.said.length === 0;
  expect(isSilent && !mayBeSilent, shown).toBe(false);
  for (const line of found.said) {
    expect(line, shown).not.toContain("\n");
    expect(line.length, shown).toBeLessThan(MAX_LINE_CHARS);
  }
}

function missing(found: Found, whole: Found): number {
  const given = new Set(found.value);
  return new Set(whole.value.filter((one) => !given.has(one))).size;
}

describe.each(KEPT_FILES)("$name", (kept) => {
  it.each(DAMAGE_KINDS)(
    "gives nothing that was not written, and says what is damaged: %s",
    async (kind) => {
      const random = new SeededRandom(SEED);
      const place = join(folder, "kept");
      mkdirSync(place);
      await kept.write(place);
      const names = filesIn(place).map((path) => path.slice(place.length + 1));
      const whole = await kept.read(place);
      expect(whole.said).toEqual([]);
      for (const name of names.filter((one) => kept.ending?.test(one) !== false)) {
        for (let round = 0; round < PLACES_PER_KIND; round += 1) {
          rmSync(place, { recursive: true });
          mkdirSync(place);
          await kept.write(place);
          damage(join(place, name), kind, random);
          const found = await kept.read(place);
          const mayBeSilent = kind === "cut" && kept.appended?.test(name) === true;
          expectSound(found, whole, mayBeSilent, `${name}, round ${round}`);
          // Whatever was said once has been mended or stays said: a second reader finds no more than the first.
          expectSound(await kept.read(place), whole, true, `${name} once more`);
        }
      }
    },
  );
});

function damage(path: string, kind: DamageKind, random: SeededRandom): void {
  const bytes = readFileSync(path);
  if (bytes.length === 0) return;
  chmodSync(path, 0o644);
  writeFileSync(path, damaged(bytes, kind, random));
}

describe("a spool in a bucket", () => {
  it.each(DAMAGE_KINDS)(
    "gives nothing that was not written, and says what is damaged: %s",
    async (kind) => {
      const random = new SeededRandom(SEED);
      const s3 = await TestS3.start();
      try {
        const place = s3.place("damaged");
        const spool = await openSpool(place, s3.env);
        await writeSpool(spool);
        const bucket = await S3Bucket.open(s3Place(place, s3.env));
        const whole = await readSpool(spool);
        expect(whole.said).toEqual([]);
        for (const entry of await bucket.list("")) {
          const bytes = await bytesOf(bucket.text(entry));
          for (let round = 0; round < PLACES_IN_BUCKET; round += 1) {
            await bucket.putBytes(entry.key, one(damaged(bytes, kind, random)));
            expectSound(await readSpool(spool), whole, false, `${entry.key}, round ${round}`);
          }
          await bucket.putBytes(entry.key, one(bytes));
        }
      } finally {
        await s3.close();
      }
    },
  );
});

async function bytesOf(text: AsyncIterable<string>): Promise<Buffer> {
  let all = "";
  for await (const piece of text) all += piece;
  return Buffer.from(all, "latin1");
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
