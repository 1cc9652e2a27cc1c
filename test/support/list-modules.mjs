/** `node --import` this: names every module on standard error before it is loaded. */
import { register } from "node:module";

const hooks = `export async function load(url, context, next) {
  process._rawDebug("loads " + url);
  return await next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
