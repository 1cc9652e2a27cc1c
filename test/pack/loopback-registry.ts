/** A registry on loopback that has one package more than the registry behind it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface LoopbackRegistry {
  readonly url: string;
  close(): void;
}

/**
 * @param upstream the registry that has everything else; requests are sent on to it
 * @param manifest of the package, as its tarball has it
 */
export async function openRegistry(
  upstream: string,
  manifest: { readonly name: string; readonly version: string },
  tarball: string,
): Promise<LoopbackRegistry> {
  const bytes = readFileSync(tarball);
  const { name, version } = manifest;
  let url = "";
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (path === `/${name}.tgz`) {
      response.end(bytes);
    } else if (path === `/${name}`) {
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      const dist = { tarball: `${url}/${name}.tgz`, integrity };
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          name,
          "dist-tags": { latest: version },
          versions: { [version]: { ...manifest, dist } },
        }),
      );
    } else {
      response.writeHead(302, { location: new URL(path.slice(1), upstream).href });
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}
