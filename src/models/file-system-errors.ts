import { RankmillError } from "../core/errors.js";

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** Turns what the file system refused while a model was read into one line that says what to do. */
export function asModelReadError(error: unknown, path: string): RankmillError {
  if (error instanceof RankmillError) return error;
  const code = errnoOf(error) ?? String(error);
  const problem = (errorCode: "model_not_found" | "model_unusable", text: string): RankmillError =>
    new RankmillError(errorCode, `${path} ${text}`, { cause: error });
  switch (code) {
    case "EACCES":
    case "EPERM":
      return problem(
        "model_unusable",
        `may not be read (${code}): give the user that runs rankmill read access to the model folder`,
      );
    case "ENOENT":
      return problem("model_not_found", "does not exist: check the path");
    case "ENOTDIR":
      return problem(
        "model_unusable",
        "is not a folder: give the folder that holds the ONNX file and tokenizer.json",
      );
    default:
      return problem("model_unusable", `cannot be read (${code}): check the disk and the path`);
  }
}
