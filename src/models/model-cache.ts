/**
 * The layout of pulled models: `{modelsDir}/{org}--{name}/{first 12 of the commit}/…`, with the
 * repository's own paths below. Plain files, not the hub's symlinks into a blob store: the ONNX
 * runtime refuses external data whose real path is outside the folder of the graph, and such a
 * folder can be copied into an image or mounted read-only as it is. A commit has its own folder, so
 * that a worker keeps its files while another commit is pulled.
 */
import { join } from "node:path";

/** Digits of a commit or digest that people are shown: 48 bits, enough to tell revisions apart. */
const SHORT_REVISION_DIGITS = 12;

export function shortRevision(revision: string): string {
  return revision.slice(0, SHORT_REVISION_DIGITS);
}

export function pulledModelFolder(modelsDir: string, id: string, revision: string): string {
  return join(modelsDir, id.replaceAll("/", "--"), shortRevision(revision));
}

export function lockFilePath(modelsDir: string): string {
  return join(modelsDir, "rankmill-models.lock.json");
}
