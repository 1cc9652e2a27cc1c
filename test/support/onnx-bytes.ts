/** Writes ONNX files too small to run but true in form, to show what is read from a file. */

interface TinyGraph {
  readonly inputs?: readonly TinyValue[];
  readonly outputs?: readonly TinyValue[];
  readonly operators?: readonly string[];
  /** Output of the last of them. */
  readonly lastOutput?: string;
  /** Weights outside the graph. */
  readonly external?: readonly { location: string; offset: number; length: number }[];
  /** Bytes of one initializer inside the graph. */
  readonly inlineBytes?: number;
}

interface TinyValue {
  readonly name: string;
  /** Text for a dynamic dimension. */
  readonly shape: readonly (number | string)[];
}

/** The shape of a cross-encoder: two dynamic inputs, one logit a row. */
export const CROSS_ENCODER: TinyGraph = {
  inputs: [
    { name: "input_ids", shape: ["batch", "sequence"] },
    { name: "attention_mask", shape: ["batch", "sequence"] },
  ],
  outputs: [{ name: "logits", shape: ["batch", 1] }],
  operators: ["Gather"],
};

export function onnxBytes(graph: TinyGraph): Buffer {
  const initializers = [
    ...(graph.external ?? []).map((each, index) =>
      message(
        bytesField(8, `outside.${index}`),
        bytesField(13, message(bytesField(1, "location"), bytesField(2, each.location))),
        bytesField(13, message(bytesField(1, "offset"), bytesField(2, String(each.offset)))),
        bytesField(13, message(bytesField(1, "length"), bytesField(2, String(each.length)))),
        numberField(14, 1),
      ),
    ),
    ...(graph.inlineBytes === undefined
      ? []
      : [message(bytesField(8, "inside"), bytesField(9, Buffer.alloc(graph.inlineBytes)))]),
  ];
  const body = message(
    ...(graph.operators ?? []).map((operator, index, { length }) => {
      const output = index === length - 1 ? graph.lastOutput : undefined;
      const outputs = output === undefined ? [] : [bytesField(2, output)];
      return bytesField(1, message(...outputs, bytesField(4, operator)));
    }),
    ...initializers.map((initializer) => bytesField(5, initializer)),
    ...(graph.inputs ?? []).map((value) => bytesField(11, valueInfo(value))),
    ...(graph.outputs ?? []).map((value) => bytesField(12, valueInfo(value))),
  );
  return message(numberField(1, 8), bytesField(7, body));
}

function valueInfo(value: TinyValue): Buffer {
  const dimensions = value.shape.map((size) =>
    bytesField(1, message(typeof size === "number" ? numberField(1, size) : bytesField(2, size))),
  );
  const tensorType = message(numberField(1, 7), bytesField(2, message(...dimensions)));
  return message(bytesField(1, value.name), bytesField(2, message(bytesField(1, tensorType))));
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function bytesField(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
