import { describe, expect, it } from "vitest";
import { openVinoReason } from "../../../../../src/inference/runtime/openvino/openvino-failure.js";

/** Said by OpenVINO 2026.4.1. */
const WRONG_SHAPE = `Exception from src/inference/src/cpp/infer_request.cpp:75:
Exception from src/inference/src/cpp/infer_request.cpp:67:
Check 'shape.compatible(ov::PartialShape(tensor->get_shape()))' failed at src/plugins/intel_cpu/src/infer_request.cpp:385:
Can't set the input tensor with index: 0, because the model input (shape=[?,?]) and the tensor (shape=(1.1.3)) are incompatible


`;

describe("OpenVINO's words for a failure", () => {
  it("are the line that tells something", () => {
    expect(openVinoReason(WRONG_SHAPE, -1)).toBe(
      "Can't set the input tensor with index: 0, because the model input (shape=[?,?]) and the tensor (shape=(1.1.3)) are incompatible",
    );
  });

  it("are the places in its sources if it says nothing else", () => {
    expect(openVinoReason("Exception from src/a.cpp:1:\n", -1)).toBe("Exception from src/a.cpp:1:");
  });

  it("are the status if it says nothing", () => {
    expect(openVinoReason(null, -17)).toBe("status -17");
    expect(openVinoReason("", -17)).toBe("status -17");
  });
});
