/** A value as kohya_ss saves it. */
export type FieldValue = string | number | boolean;

/** One field of kohya_ss, as its own code has it. */
export type FieldRow = readonly [key: string, label: string, fresh: FieldValue];

/** What becomes of a field of kohya_ss that is no parameter here. */
export type FieldFate =
  /** Its value decides others. */
  | { readonly kind: 'read'; readonly how: string }
  /** A file in which it is on is of a model that cannot be trained. */
  | { readonly kind: 'otherModel'; readonly model: string }
  /** Asks for what is not done: that is told unless it is as a fresh start has it. */
  | { readonly kind: 'told'; readonly why: string }
  /** Changes nothing that is learnt or kept: left out without a word. */
  | { readonly kind: 'needless'; readonly why: string };
