// What the plants share. Each is loaded before the command line's own code and breaks one part of it.
import { Redis } from "ioredis";

const [, main = "", command = ""] = process.argv;

/** Whether this process is one of those commands; lanes and guardians inherit the variable, too. */
export function isCommand(...names) {
  return /producers[\\/]cli[\\/]main\.js$/.test(main) && names.includes(command);
}

export async function compiled(path) {
  return await import(new URL(`../../../../dist/src/${path}`, import.meta.url).href);
}

/** Every job or record that a plant picks, one of `of`; always the same ones. */
export function isPicked(text, of) {
  let hash = 0;
  for (const char of text) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
  return hash % of === 0;
}

/** Replaces a part of a script of Redis'. A plant that finds nothing to break must not pass for one. */
export function breakScript(name, whole, broken) {
  const { prototype } = Redis;
  const define = Reflect.get(prototype, "defineCommand");
  prototype.defineCommand = function (command, definition) {
    if (command !== name) return define.call(this, command, definition);
    if (!definition.lua.includes(whole)) throw new Error(`the plant does not fit ${name}`);
    const lua = definition.lua.replace(whole, broken);
    return define.call(this, command, { ...definition, lua });
  };
}
