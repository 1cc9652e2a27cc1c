import process from "node:process";
import { docker, dockerAnswers, IMAGE } from "./docker.js";

/** Builds the image under test, or says that there is nothing to build it with. */
export default async function buildImage(): Promise<void> {
  if (!dockerAnswers) {
    process.stderr.write(
      "\n!!! NO CONTAINER TEST IS RUN: no Docker API answers (`docker version` fails)\n\n",
    );
    if (process.env["RANKMILL_TEST_REQUIRE_DOCKER"] === "1") {
      throw new Error("RANKMILL_TEST_REQUIRE_DOCKER is set and no Docker API answers");
    }
    return;
  }
  if (process.env["RANKMILL_TEST_IMAGE"] !== undefined) return;
  process.stderr.write(`building ${IMAGE}\n`);
  await docker(["build", "--file", "docker/cpu.Dockerfile", "--tag", IMAGE, "."]);
}
