import { RankmillError } from "../../core/errors.js";
import type { S3Place } from "./s3-bucket.js";
import { option, wording } from "../../core/wording.js";

type Env = Readonly<Record<string, string | undefined>>;

const DEFAULT_REGION = "us-east-1";

/** @throws RankmillError `invalid_option` naming what is missing */
export function s3Place(place: string, env: Env): S3Place {
  const [, bucket = "", path = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? [];
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new RankmillError(
      "invalid_option",
      wording`${option("spool")} ${place}: expected s3://bucket/prefix`,
    );
  }
  const region = given(env["AWS_REGION"]) ?? given(env["AWS_DEFAULT_REGION"]) ?? DEFAULT_REGION;
  const prefix = path.replace(/\/+$/, "");
  return {
    endpoint: endpointOf(env) ?? `https://s3.${region}.amazonaws.com`,
    region,
    bucket,
    prefix: prefix === "" ? "" : `${prefix}/`,
    accessKeyId: needed(place, "AWS_ACCESS_KEY_ID", env),
    secretAccessKey: needed(place, "AWS_SECRET_ACCESS_KEY", env),
    sessionToken: given(env["AWS_SESSION_TOKEN"]),
  };
}

function endpointOf(env: Env): string | undefined {
  for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
    const endpoint = given(env[name]);
    if (endpoint === undefined) continue;
    // Never shown: it might hold a password.
    if (!/^https?:\/\/[^/@\s]+(\/[^@\s]*)?$/.test(endpoint)) {
      throw new RankmillError(
        "invalid_option",
        `${name}: expected http://host:port or https://host`,
      );
    }
    return endpoint;
  }
  return undefined;
}

function needed(place: string, name: string, env: Env): string {
  const value = given(env[name]);
  if (value !== undefined) return value;
  throw new RankmillError(
    "invalid_option",
    wording`${option("spool")} ${place}: ${name} is not set`,
  );
}

/** A variable that is set to nothing is not set. */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
