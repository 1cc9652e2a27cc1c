export const TAG = "free.bench.fp32.v1";
export const RAW_QUEUE = "raw";
export const RAW_STORED_QUEUE = "raw-stored";
export const MAX_PAYLOAD_BYTES = 16_777_216;
