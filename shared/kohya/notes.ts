import { z } from 'zod';
import type { ParameterKey, TrainConfig } from '../parameters';

/** What became of a value on its way in. */
export const importNoteSchema = z.strictObject({
  /**
   * `changed`: taken with another value. `unsupported`: asks for something that is not done. `unknown`: no key of
   * kohya_ss or sd-scripts. `defaulted`: not in the file, so a default is used.
   */
  kind: z.enum(['changed', 'unsupported', 'unknown', 'defaulted']),
  key: z.string(),
  message: z.string(),
});
export type ImportNote = z.infer<typeof importNoteSchema>;

export interface ConfigImport {
  /** Not yet checked: a folder may be missing. */
  readonly config: TrainConfig;
  /** Parameters that the file has, and whose values were taken as they are. */
  readonly taken: readonly ParameterKey[];
  readonly notes: readonly ImportNote[];
}
