/** The rules of every place for uploads. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UploadStore } from "../../src/core/ports/upload-store.js";

export interface UploadPlace {
  readonly open: () => Promise<UploadStore>;
  readonly clean: () => Promise<void>;
}

const BYTES = Buffer.from('{"custom_id": "a"}\r\nno newline at the end: \u{1F600}');

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7)
    yield await Promise.resolve(bytes.subarray(at, at + 7));
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(BYTES);
  throw new Error("the client hung up");
}

async function read(store: UploadStore, id: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(id)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function testUploadStore(name: string, place: () => Promise<UploadPlace>): void {
  describe(`uploads ${name}`, () => {
    let uploads: UploadPlace;
    let store: UploadStore;

    beforeEach(async () => {
      uploads = await place();
      store = await uploads.open();
    });

    afterEach(async () => {
      await uploads.clean();
    });

    it("come back byte by byte, to other gateways too", async () => {
      expect(await store.put("file-1", inPieces(BYTES))).toBe(BYTES.length);
      expect(await read(await uploads.open(), "file-1")).toEqual(BYTES);
    });

    it("are not there if they broke off", async () => {
      await expect(store.put("file-1", broken())).rejects.toThrow("the client hung up");
      await expect(read(store, "file-1")).rejects.toMatchObject({ code: "not_found" });
    });

    it("are gone once they are removed, twice too", async () => {
      await store.put("file-1", inPieces(BYTES));
      await store.remove("file-1");
      await store.remove("file-1");
      await expect(read(store, "file-1")).rejects.toMatchObject({ code: "not_found" });
    });

    it("are removed by their age", async () => {
      await store.put("file-1", inPieces(BYTES));
      expect(await store.sweep(Date.now() - 60_000)).toBe(0);
      expect(await read(store, "file-1")).toEqual(BYTES);
      expect(await store.sweep(Date.now() + 60_000)).toBe(1);
      await expect(read(store, "file-1")).rejects.toMatchObject({ code: "not_found" });
    });

    it.each(["../file-1", "file-1/../2", "file-", "run-1", ""])(
      "have no name that leads elsewhere: %j",
      async (id) => {
        await expect(read(store, id)).rejects.toMatchObject({ code: "not_found" });
        await expect(store.put(id, inPieces(BYTES))).rejects.toMatchObject({ code: "not_found" });
      },
    );
  });
}
