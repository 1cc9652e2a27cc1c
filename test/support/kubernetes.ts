/** Manifests as the API server would judge them: its published schemas, and no field that it does not know. */
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import { Secret } from "kubernetes-models/v1/Secret";
import { Service } from "kubernetes-models/v1/Service";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";

/** A class that validates whatever is its `this`. */
interface Model {
  readonly prototype: { validate(this: unknown): void };
}

const MODELS: Readonly<Record<string, Model>> = {
  "apps/v1 Deployment": Deployment,
  "apps/v1 StatefulSet": StatefulSet,
  "keda.sh/v1alpha1 ScaledObject": ScaledObject,
  "networking.k8s.io/v1 NetworkPolicy": NetworkPolicy,
  "policy/v1 PodDisruptionBudget": PodDisruptionBudget,
  "v1 ConfigMap": ConfigMap,
  "v1 Namespace": Namespace,
  "v1 PersistentVolumeClaim": PersistentVolumeClaim,
  "v1 Secret": Secret,
  "v1 Service": Service,
  "v1 ServiceAccount": ServiceAccount,
};

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/**
 * The faults of a manifest; empty if there is none.
 *
 * @param partial true for a patch, which may leave out what is required
 */
export function faultsOf(manifest: Manifest, partial = false): string[] {
  const name = `${manifest.apiVersion} ${manifest.kind}`;
  const model = MODELS[name];
  if (model === undefined) return [`${name}: no schema is known here`];
  const watched = new WatchedReads();
  const faults: string[] = [];
  try {
    model.prototype.validate.call(watched.watch(manifest, ""));
  } catch (error) {
    faults.push(...(error as Error).message.split(", "));
  }
  return [
    ...faults.filter((fault) => !partial || !fault.includes("must have required property")),
    ...watched.unread().map((path) => `${path}: no such field`),
  ];
}

/**
 * A schema of Kubernetes lets unknown fields pass, and the server drops them: a misspelt limit is no
 * limit. A validator reads every field that it knows, so what it never read it does not know.
 */
class WatchedReads {
  readonly #paths = new Set<string>();
  readonly #read = new Set<string>();

  watch(value: unknown, path: string): unknown {
    if (typeof value !== "object" || value === null) return value;
    for (const key of Object.keys(value)) this.#paths.add(`${path}/${key}`);
    return new Proxy(value, {
      get: (target, key, receiver) => {
        const at = `${path}/${String(key)}`;
        if (typeof key === "string") this.#read.add(at);
        return this.watch(Reflect.get(target, key, receiver), at);
      },
      // A map of names that the user chooses, as labels are.
      ownKeys: (target) => {
        for (const key of Object.keys(target)) this.#read.add(`${path}/${key}`);
        return Reflect.ownKeys(target);
      },
    });
  }

  unread(): string[] {
    return [...this.#paths].filter((path) => !this.#read.has(path));
  }
}
