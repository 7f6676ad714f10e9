import { z } from 'zod';
import { pictureEditSchema } from './picture-edits';
import { planSchema } from './protocol';
import { problemSchema } from './result';
import { datasetFormSchema } from './settings';
import { pictureFactsSchema } from './picture-protocol';

/** What the Dataset Preparation tab gets to know, and what is told while it waits. */

export const imageInfoSchema = z.strictObject({
  /** Names the picture in `media://thumbnail/<id>` and in other channels; changes when the file changes. */
  id: z.string(),
  name: z.string(),
  path: z.string(),
  bytes: z.int().min(0),
  /** Null until it was read; `datasets:read` tells then. */
  facts: pictureFactsSchema.nullable(),
  /** How it is turned and cropped; null for one that is not. */
  edit: pictureEditSchema.nullable(),
  /** Null when there is no caption file. */
  caption: z.string().nullable(),
});
export type ImageInfo = z.infer<typeof imageInfoSchema>;

export const scanSchema = z.strictObject({
  folder: z.string(),
  images: z.array(imageInfoSchema),
});
export type Scan = z.infer<typeof scanSchema>;

const plannedFolderSchema = z.strictObject({
  role: z.enum(['img', 'reg', 'log', 'model']),
  path: z.string(),
  images: z.int().min(0),
  bytes: z.int().min(0),
  /** The folder is there already; what is in it stays. */
  exists: z.boolean(),
});

export const preparationPlanSchema = z.strictObject({
  folders: z.array(plannedFolderSchema),
  images: z.int().min(0),
  bytes: z.int().min(0),
  freeBytes: z.int().min(0),
  /** Null while the pictures cannot be planned. */
  plan: planSchema.nullable(),
  /** What keeps the button from being pressed, by form field. */
  problems: z.array(
    z.strictObject({ field: z.enum(datasetFormSchema.keyof().options), problem: problemSchema }),
  ),
  warnings: z.array(problemSchema),
});
export type PreparationPlan = z.infer<typeof preparationPlanSchema>;

export const preparedSchema = z.strictObject({
  /** The folder with the copied pictures: what is captioned next. */
  imagesFolder: z.string(),
  train_data_dir: z.string(),
  /** Empty when there are no regularization pictures. */
  reg_data_dir: z.string(),
  output_dir: z.string(),
  logging_dir: z.string(),
  copied: z.int().min(0),
  /** Pictures that were there already, with the same content. */
  kept: z.int().min(0),
});
export type Prepared = z.infer<typeof preparedSchema>;

export const preparationProgressSchema = z.strictObject({
  done: z.int().min(0),
  total: z.int().min(0),
  bytesDone: z.int().min(0),
  bytesTotal: z.int().min(0),
});
export type PreparationProgress = z.infer<typeof preparationProgressSchema>;

/** What a picture of a scan turned out to be. */
export const readPictureSchema = z.strictObject({ id: z.string(), facts: pictureFactsSchema });
export type ReadPicture = z.infer<typeof readPictureSchema>;
