import { z } from "zod";
import { batchPage, batchSchema } from "../../answers/batch.js";
import { deletedFile, filePage, fileSchema } from "../../answers/file.js";
import {
  batchPageSchema,
  filePageSchema,
  newBatchSchema,
  newFileSchema,
} from "../../file-fields.js";
import { EXAMPLE_BATCH_LINES, EXAMPLE_IDS, EXAMPLE_MODEL } from "../examples.js";
import { jsonAnswer } from "../json-answer.js";
import { named } from "../named.js";
import type { Operation, PathParameter } from "../operation.js";
import { OF_ALL, OF_JSON } from "../problems.js";

const FILE: PathParameter = {
  name: "id",
  description: "The id of a file of the same key, or of one that its batch gives.",
  example: EXAMPLE_IDS.file,
};
const BATCH: PathParameter = {
  name: "id",
  description: "The id of a batch of the same key.",
  example: EXAMPLE_IDS.batch,
};
const OF_A_FILE = { group: "Files and batches", pathParameter: FILE } as const;
const OF_A_BATCH = { group: "Files and batches", pathParameter: BATCH } as const;
const CREATED = 1_796_000_000;

const file: z.input<typeof fileSchema> = {
  id: FILE.example,
  object: "file",
  bytes: EXAMPLE_BATCH_LINES.length,
  created_at: CREATED,
  expires_at: CREATED + 2_592_000,
  filename: "requests.jsonl",
  purpose: "batch",
  status: "processed",
  status_details: null,
};

const batch: z.input<typeof batchSchema> = {
  id: BATCH.example,
  object: "batch",
  endpoint: "/v1/rerank",
  model: EXAMPLE_MODEL,
  errors: null,
  input_file_id: FILE.example,
  completion_window: "24h",
  status: "in_progress",
  output_file_id: null,
  error_file_id: null,
  created_at: CREATED,
  in_progress_at: CREATED,
  expires_at: null,
  finalizing_at: null,
  completed_at: null,
  failed_at: null,
  expired_at: null,
  cancelling_at: null,
  cancelled_at: null,
  request_counts: { total: 1, completed: 0, failed: 0 },
  metadata: { project: "mill" },
};

function pageWith(one: { readonly id: string }) {
  return { object: "list", data: [one], has_more: false, first_id: one.id, last_id: one.id };
}

const fileOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/files",
    id: "uploadFile",
    group: "Files and batches",
    summary: "Uploads a file",
    scopes: ["runs"],
    bodies: [
      {
        type: "multipart/form-data",
        schemas: [named("NewFile", newFileSchema)],
        examples: [
          {
            summary: "A request of a batch per line",
            value: { purpose: "batch", file: EXAMPLE_BATCH_LINES },
          },
        ],
      },
    ],
    answers: [jsonAnswer(200, "The file.", fileSchema, file)],
    problems: [...OF_ALL, ...OF_JSON, 501],
  },
  {
    method: "get",
    path: "/v1/files",
    id: "listFiles",
    group: "Files and batches",
    summary: "The files that the key has uploaded",
    scopes: ["read", "runs"],
    query: filePageSchema,
    queryExample: { purpose: "batch" },
    answers: [jsonAnswer(200, "A page of files.", filePage, pageWith(file))],
    problems: [...OF_ALL, 422, 501],
  },
  {
    ...OF_A_FILE,
    method: "get",
    path: "/v1/files/:id",
    id: "getFile",
    summary: "What is known of a file",
    scopes: ["read", "runs"],
    answers: [jsonAnswer(200, "The file.", fileSchema, file)],
    problems: [...OF_ALL, 404, 501],
  },
  {
    ...OF_A_FILE,
    method: "get",
    path: "/v1/files/:id/content",
    id: "getFileContent",
    summary: "The bytes of a file",
    description: "The file of a batch has an answer, or a request that failed, per line.",
    scopes: ["read", "runs"],
    answers: [
      {
        status: 200,
        description: "The bytes.",
        headers: ["Content-Disposition"],
        body: {
          type: "application/octet-stream",
          schemas: [z.string()],
          examples: [{ summary: "The uploaded file", value: EXAMPLE_BATCH_LINES }],
        },
      },
    ],
    problems: [...OF_ALL, 404, 501],
  },
  {
    ...OF_A_FILE,
    method: "delete",
    path: "/v1/files/:id",
    id: "deleteFile",
    summary: "Removes an uploaded file",
    scopes: ["runs"],
    answers: [
      jsonAnswer(200, "It is gone.", deletedFile, {
        id: FILE.example,
        object: "file",
        deleted: true,
      }),
    ],
    problems: [...OF_ALL, 404, 409, 501],
  },
];

const batchOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/batches",
    id: "createBatch",
    group: "Files and batches",
    summary: "Ranks the requests of a file in their own time",
    scopes: ["runs"],
    headers: ["Idempotency-Key"],
    bodies: [
      {
        type: "application/json",
        schemas: [named("NewBatch", newBatchSchema)],
        examples: [
          {
            summary: "A batch",
            value: {
              input_file_id: FILE.example,
              endpoint: "/v1/rerank",
              completion_window: "24h",
              metadata: { project: "mill" },
            },
          },
        ],
      },
    ],
    answers: [
      {
        ...jsonAnswer(200, "The batch.", batchSchema, batch),
        headers: ["Location", "Idempotency-Replayed"],
      },
    ],
    problems: [...OF_ALL, ...OF_JSON, 404, 409, 501],
  },
  {
    method: "get",
    path: "/v1/batches",
    id: "listBatches",
    group: "Files and batches",
    summary: "The newest batches of the key",
    scopes: ["read", "runs"],
    query: batchPageSchema,
    queryExample: { limit: "20" },
    answers: [jsonAnswer(200, "A page of batches.", batchPage, pageWith(batch))],
    problems: [...OF_ALL, 404, 422, 501],
  },
  {
    ...OF_A_BATCH,
    method: "get",
    path: "/v1/batches/:id",
    id: "getBatch",
    summary: "How a batch stands",
    scopes: ["read", "runs"],
    answers: [jsonAnswer(200, "The batch.", batchSchema, batch)],
    problems: [...OF_ALL, 404, 501],
  },
  {
    ...OF_A_BATCH,
    method: "post",
    path: "/v1/batches/:id/cancel",
    id: "cancelBatch",
    summary: "Stops a batch, and keeps its answers",
    scopes: ["runs"],
    answers: [jsonAnswer(200, "The batch.", batchSchema, { ...batch, status: "cancelled" })],
    problems: [...OF_ALL, 404, 409, 501],
  },
];

export const filesAndBatches: readonly Operation[] = [...fileOperations, ...batchOperations];
