import { z } from 'zod';
import { importNoteSchema } from './kohya/notes';
import { parameterKeys, type TrainConfig } from './parameters';
import { ownPresetSchema } from './preset-values';
import { count } from './protocol';
import { problemSchema } from './result';
import { bucketPictureSchema } from './worker-protocol';

/** What main answers about parameters, beside what the bridge's worker does. */

/** A config that was read, and what became of what its file says. Not yet checked: a folder may be missing. */
export const openedConfigSchema = z.strictObject({
  /** Of the file, without its folder. */
  name: z.string(),
  config: z.custom<TrainConfig>((value) => typeof value === 'object' && value !== null),
  taken: z.array(z.enum(parameterKeys)).readonly(),
  notes: z.array(importNoteSchema).readonly(),
});
export type OpenedConfig = z.infer<typeof openedConfigSchema>;

export const ownPresetsSchema = z.strictObject({
  /** By name. */
  presets: z.array(ownPresetSchema),
  /** Files among them that could not be read, said once where they were set aside. */
  problems: z.array(problemSchema),
});
export type OwnPresets = z.infer<typeof ownPresetsSchema>;

const bucketPhotoSchema = bucketPictureSchema.omit({ path: true }).extend({
  /** As in `imageInfoSchema`; null for a file that is gone. */
  id: z.string().nullable(),
  name: z.string(),
});
export type BucketPhoto = z.infer<typeof bucketPhotoSchema>;

export const bucketPageSchema = z.strictObject({
  /** How many photos the bucket has. */
  total: count(),
  photos: z.array(bucketPhotoSchema),
});
export type BucketPage = z.infer<typeof bucketPageSchema>;
