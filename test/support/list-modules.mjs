/** `node --import` this: names every module on standard error before it is loaded, imported or required. */
import { writeSync } from "node:fs";
import { createRequire, register } from "node:module";
import { pathToFileURL } from "node:url";

const hooks = `export async function load(url, context, next) {
  process._rawDebug("loads " + url);
  return await next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const { extensions } = createRequire(import.meta.url);
const compile = extensions[".js"];
extensions[".js"] = (module, filename) => {
  writeSync(2, `loads ${pathToFileURL(filename).href}\n`);
  compile(module, filename);
};
