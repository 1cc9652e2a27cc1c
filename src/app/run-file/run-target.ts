/** The files of a run from file to file: those it reads, and the place of its rankings. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { SCHEMA_MAJOR } from "../../core/contract.js";
import { digestOf } from "../../inputs/digest-source.js";
import type { Collector } from "../../outputs/collector.js";
import type { Manifest, RunSettings } from "../../outputs/manifest.js";
import { UNKNOWN_DIGEST } from "../../outputs/ranking-sums.js";
import { RunOutput } from "../../outputs/run-output.js";
import { StreamOutput } from "../../outputs/stream-output.js";
import type { Closers } from "../../platform/closers.js";
import { packageVersion } from "../../platform/package-root.js";
import type { OpenedTokenizer } from "../../tokenizers/open-tokenizer.js";
import type { RunFileOptions } from "./run-file-options.js";

export interface RunTarget {
  readonly opened: OpenedTokenizer;
  /** Records of the input; undefined if only reading to the end would tell. */
  readonly records: number | undefined;
  readonly inputDigest: string | undefined;
  readonly settings: RunSettings;
  /** Undefined if the rankings go to standard output. */
  readonly file: RunOutput | undefined;
  readonly sink: Collector;
  readonly startedAt: string;
}

/** @throws RankmillError if the input cannot be read, the model not be used, or the output not be written */
export async function openTarget(options: RunFileOptions, closers: Closers): Promise<RunTarget> {
  const { source, output, model, show, format } = options;
  const records = await source.count();
  // For the manifest, which standard output has none of; before the output is locked, since it may throw.
  const inputDigest = output === "-" ? undefined : await digestOf(source);
  // Native packages are loaded by the commands that run a worker, and by no other.
  const { openTokenizer } = await import("../../tokenizers/open-tokenizer.js");
  const opened = await openTokenizer(model.folder.path, {
    kind: options.tokenizer,
    compiledDir: options.preparedDir,
    onNote: (note) => options.logger.warn(note),
  });
  closers.use("tokenizer", opened.tokenizer, (tokenizer) => tokenizer.close());
  const settings = settingsOf(options, opened.tokenizer.kind);
  const file = output === "-" ? undefined : await RunOutput.open(output, settings, options);
  if (file !== undefined) closers.use("output", file, (one) => one.unlock());
  const sink =
    file ??
    new StreamOutput(
      show.rankings,
      (failure) => show.onEvent({ type: "record-failed", failure }),
      format.textOf,
    );
  const startedAt = new Date().toISOString();
  const target = { opened, records, inputDigest, settings, file, sink, startedAt };
  tellResumed(target, options);
  return target;
}

function settingsOf(
  { model, scoring, topN, format, sourceSettings }: RunFileOptions,
  tokenizer: string,
): RunSettings {
  const { name, revision, digest, precision, form } = model;
  return {
    model: { name, revision, digest, precision, ...(form !== undefined && { form }) },
    ...scoring,
    topN: topN ?? null,
    tokenizer,
    outputFormat: format.name,
    ...sourceSettings,
  };
}

/** Tells what a user should know of the rankings that an earlier start left. */
function tellResumed({ file, inputDigest }: RunTarget, { show }: RunFileOptions): void {
  if (file === undefined) return;
  const { done, paths, before } = file;
  const { digests, damaged, twice } = done;
  const { output: path } = paths;
  if (damaged > 0) show.onEvent({ type: "rankings-damaged", path, count: damaged });
  if (twice > 0) show.onEvent({ type: "rankings-twice", path, count: twice });
  if (digests.size === 0) return;
  show.onEvent({ type: "resumed", path: paths.partial, done: digests.size });
  const isSame = before?.inputDigest === undefined || before.inputDigest === inputDigest;
  const unknown = [...digests.values()].some((digest) => digest === UNKNOWN_DIGEST);
  if (!isSame && unknown) show.onEvent({ type: "input-changed", input: before.input });
}

/** Writes how the run stands beside its output, if that is a file. */
export async function writeState(
  state: Manifest["state"],
  { file, settings, sink, inputDigest, startedAt }: RunTarget,
  { input, output }: RunFileOptions,
  redis: string,
): Promise<void> {
  if (file === undefined) return;
  await file.writeManifest({
    rankmill: packageVersion(),
    schema: SCHEMA_MAJOR,
    state,
    input,
    ...(inputDigest === undefined ? {} : { inputDigest }),
    output,
    settings,
    counts: sink.counts,
    redis,
    startedAt: file.before?.startedAt ?? startedAt,
    ...(file.before === undefined ? {} : { resumedAt: startedAt }),
    ...(state === "running" ? {} : { finishedAt: new Date().toISOString() }),
  });
}

/**
 * The name under which this command waits for its jobs. The same output is the same owner, so that a
 * start after a crash finds, and in the end releases, what the last one left in Redis.
 */
export function ownerOf({ file }: RunTarget): string {
  return `output:${hostname()}:${file?.paths.output ?? randomUUID()}`;
}
