/** Environment in which a lane's process can load the libraries in `libraryDir`. */
export function cudaEnv(
  env: Readonly<Record<string, string | undefined>>,
  libraryDir: string | undefined,
): Readonly<Record<string, string | undefined>> {
  if (libraryDir === undefined) return env;
  // Before onnxruntime-node's own run path: the copy of the runtime in that folder is found first, and
  // it looks for providers beside itself. So nothing is ever written into node_modules.
  const rest = env["LD_LIBRARY_PATH"];
  const path = rest === undefined || rest === "" ? libraryDir : `${libraryDir}:${rest}`;
  return { ...env, LD_LIBRARY_PATH: path };
}
