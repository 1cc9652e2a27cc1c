/** The forms of dynamic int8. `rows`: a scale per row of activations; `file`: what the file says, one per tensor. */
export const INT8_FORMS = ["rows", "file"] as const;
export type Int8Form = (typeof INT8_FORMS)[number];
