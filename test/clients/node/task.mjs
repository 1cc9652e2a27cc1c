/** The task of a client: its standard input. */
import { text } from "node:stream/consumers";

/** @type {{ url: string, key: string, model: string, query: string, documents: string[] }} */
export const task = JSON.parse(await text(process.stdin));

/** Tells the ranking: the place of each document in the request, and its score, best first. */
export function tell(ranking) {
  process.stdout.write(JSON.stringify(ranking));
}
