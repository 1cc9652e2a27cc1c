import { isLoopback } from "../dashboard/access.js";

/**
 * The rule for `Host`. A gateway on the loopback answers to the names of the loopback and those of the
 * operator. One that others reach has keys, which no page of another site knows, and any name.
 */
export function allowedHosts(
  listensOn: string,
  more: readonly string[],
): (host: string | undefined) => boolean {
  if (!isLoopback(listensOn)) return () => true;
  const names = new Set(more.map((name) => name.toLowerCase()));
  return (host) => {
    const url = `http://${host ?? ""}`;
    const name = URL.canParse(url) ? new URL(url).hostname : "";
    return isLoopback(name) || names.has(name.toLowerCase());
  };
}
