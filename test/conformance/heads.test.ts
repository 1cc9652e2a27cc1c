import { DIFFERENCE } from "../../src/core/heads/difference.js";
import { ONE_LABEL } from "../../src/core/heads/one-label.js";
import { ONE_LOGIT } from "../../src/core/heads/one-logit.js";
import { SOFTMAX } from "../../src/core/heads/softmax.js";
import { testHead } from "./head.suite.js";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** The share of one of several numbers, as the softmax of the model's framework gives it. */
const share = (row: readonly number[], at: number): number =>
  Math.exp(row[at] ?? 0) / row.reduce((sum, one) => sum + Math.exp(one), 0);

testHead(ONE_LOGIT, [
  { row: [1.25], score: sigmoid(1.25) },
  { row: [-4], score: sigmoid(-4) },
]);

testHead(SOFTMAX, [
  { row: [-1, 2], label: 1, score: share([-1, 2], 1) },
  { row: [3, 0.5], label: 1, score: share([3, 0.5], 1) },
  { row: [0.5, -2, 1.5], label: 0, score: share([0.5, -2, 1.5], 0) },
]);

testHead(DIFFERENCE, [
  { row: [0.75, 2], label: 1, against: 0, score: sigmoid(1.25) },
  { row: [2, 7, -1], label: 0, against: 2, score: sigmoid(3) },
]);

testHead(ONE_LABEL, [
  { row: [0.5, -2, 1.5], label: 2, score: sigmoid(1.5) },
  { row: [0.5, -2], label: 0, score: sigmoid(0.5) },
]);
