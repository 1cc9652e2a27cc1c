import { setupNative, type NativeSetupOptions } from "../../src/models/native/native-setup.js";
import { DownloadProgress } from "./download-progress.js";
import { EXIT } from "./exit-codes.js";
import { stopSignal } from "./stop-signal.js";
import { env, print, say } from "./terminal.js";

export interface NativeSetupRequest extends Pick<
  NativeSetupOptions,
  "dir" | "wheels" | "copied" | "place"
> {
  readonly from: string | undefined;
  readonly indexUrl: string | undefined;
  readonly json: boolean;
}

/** Fetches native libraries, shows how far it is, and says what is there in the end. */
export async function setUpNative(request: NativeSetupRequest): Promise<number> {
  const { from, indexUrl, json, ...rest } = request;
  const display = new DownloadProgress(process.stderr);
  const done = await setupNative({
    ...rest,
    source: sourceOf(from, indexUrl),
    onProgress: ({ phase, path, bytes, totalBytes }) => {
      if (phase === "waiting") display.show("waiting: another process does the same");
      else display.show(`${phase} ${path}`, bytes, totalBytes);
    },
    signal: stopSignal(),
  }).finally(() => display.stop());
  for (const { name, bytes, sha256, fetched } of done.files) {
    say(
      `${fetched ? "fetched " : "verified"} ${name} (${bytes} bytes, sha256 ${sha256.slice(0, 12)}…)`,
    );
  }
  print(json ? JSON.stringify(done) : done.dir);
  return EXIT.ok;
}

function sourceOf(
  from: string | undefined,
  indexUrl: string | undefined,
): NativeSetupOptions["source"] {
  if (from !== undefined) return { kind: "folder", path: from };
  if (indexUrl !== undefined) return { kind: "index", url: indexUrl };
  return { kind: "pip", python: env["PYTHON"] ?? "python3" };
}
