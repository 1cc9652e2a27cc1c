/** The manifests of docker/kubernetes: what the API server would say to them, and what a worker needs. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { ALL_OPTIONS } from "../../../producers/cli/options/all-options.js";
import { faultsOf, type Manifest } from "../../support/kubernetes.js";
import { given, kustomize } from "../../support/needs.js";

const ROOT = resolve(import.meta.dirname, "../../../docker/kubernetes");
const OVERLAYS = readdirSync(join(ROOT, "overlays"));
const FOLDERS = ["base", "redis", ...OVERLAYS.map((name) => `overlays/${name}`)];
/** The time after the drain at SIGTERM: closing lanes and connections. */
const LEAST_GRACE_SECONDS = 5;

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly path?: string }[];
  readonly configMapGenerator?: readonly { readonly literals: readonly string[] }[];
}

function documents<T>(path: string): T[] {
  return parseDocuments(readFileSync(join(ROOT, path), "utf8"));
}

function parseDocuments<T>(text: string): T[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as T;
  });
}

function kustomizationOf(folder: string): Kustomization {
  return documents<Kustomization>(`${folder}/kustomization.yaml`)[0] ?? {};
}

function patchesOf(folder: string): string[] {
  return (kustomizationOf(folder).patches ?? []).flatMap(({ path }) => path ?? []);
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext: object;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

function podsOf(manifests: readonly Manifest[]): PodSpec[] {
  return manifests
    .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
    .map(({ spec }) => (spec as { template: { spec: PodSpec } }).template.spec);
}

describe.each(FOLDERS)("docker/kubernetes/%s", (folder) => {
  it("lists what is there, and nothing else", () => {
    const { resources = [], components = [] } = kustomizationOf(folder);
    const listed = [...resources, ...patchesOf(folder)].filter((name) => name.endsWith(".yaml"));
    const files = readdirSync(join(ROOT, folder)).filter((name) => name !== "kustomization.yaml");
    expect([...listed].sort()).toEqual(files.sort());
    for (const other of [...resources, ...components].filter((name) => !name.endsWith(".yaml"))) {
      expect(readdirSync(join(ROOT, folder, other))).toContain("kustomization.yaml");
    }
  });

  it("holds what the API server takes, and no field that it does not know", () => {
    const patches = patchesOf(folder);
    for (const file of readdirSync(join(ROOT, folder))) {
      if (file === "kustomization.yaml") continue;
      for (const manifest of documents<Manifest>(`${folder}/${file}`)) {
        const faults = faultsOf(manifest, patches.includes(file));
        expect(faults, `${folder}/${file}: ${manifest.kind}`).toEqual([]);
      }
    }
  });

  it("patches what the base has, under the names that it has there", () => {
    const base = documents<Manifest>("base/worker.yaml").concat(documents("base/runner.yaml"));
    for (const patch of patchesOf(folder).flatMap((file) =>
      documents<Manifest>(`${folder}/${file}`),
    )) {
      const target = base.filter(
        ({ kind, metadata }) => kind === patch.kind && metadata.name === patch.metadata.name,
      );
      expect(target, `${patch.kind} ${patch.metadata.name}`).toHaveLength(1);
      const names = podsOf(target).flatMap(({ containers }) => containers.map(({ name }) => name));
      const patched = podsOf([patch]).flatMap(({ containers }) => containers);
      expect(names).toEqual(expect.arrayContaining(patched.map(({ name }) => name)));
    }
  });

  it("sets nothing that rankmill does not know", () => {
    const literals = (kustomizationOf(folder).configMapGenerator ?? []).flatMap(
      (one) => one.literals,
    );
    const known = ALL_OPTIONS.map(({ env }) => env);
    for (const literal of literals) expect(known).toContain(literal.split("=", 1)[0]);
  });
});

/** The built overlay, by whichever of the two is on PATH; undefined without either. */
function build(overlay: string): Manifest[] | undefined {
  const folder = join(ROOT, "overlays", overlay);
  for (const [program, verb] of [
    ["kubectl", "kustomize"],
    ["kustomize", "build"],
  ] as const) {
    try {
      execFileSync(program, program === "kubectl" ? ["version", "--client"] : ["version"], {
        stdio: "ignore",
      });
    } catch {
      continue;
    }
    return parseDocuments<Manifest>(execFileSync(program, [verb, folder], { encoding: "utf8" }));
  }
  return undefined;
}

const built = new Map(OVERLAYS.map((overlay) => [overlay, build(overlay)]));
/** Unbuilt, what an overlay is made of: all but its patches. */
const sources = ["base", "redis"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file !== "kustomization.yaml")
    .flatMap((file) => documents<Manifest>(`${folder}/${file}`)),
);

describe.each(OVERLAYS)("the overlay %s", (overlay) => {
  const manifests = built.get(overlay);
  it(`the overlay ${overlay} builds, and all of it is valid`, given(kustomize), () => {
    for (const manifest of manifests ?? []) {
      expect(faultsOf(manifest), `${manifest.kind} ${manifest.metadata.name}`).toEqual([]);
    }
  });

  it("runs every pod as the restricted policy wants it, without a token", () => {
    const pods = podsOf(manifests ?? sources);
    expect(pods).toHaveLength(4);
    for (const pod of pods) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources.limits["memory"]).toMatch(/^\d+Gi$/);
      }
    }
  });

  it("gives a worker longer to stop than it takes to drain, and measures it on its own cores", () => {
    const worker = podsOf(manifests ?? sources).find(({ initContainers }) => initContainers);
    const settings = (kustomizationOf("base").configMapGenerator ?? []).flatMap(
      ({ literals }) => literals,
    );
    const drain = settings.find((literal) => literal.startsWith("RANKMILL_DRAIN_TIMEOUT="));
    const drainSeconds = Number(drain?.split("=")[1]);
    expect(worker?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      drainSeconds + LEAST_GRACE_SECONDS,
    );
    expect(worker?.initContainers?.[0]?.resources.limits["cpu"]).toBe(
      worker?.containers[0]?.resources.limits["cpu"],
    );
  });
});
