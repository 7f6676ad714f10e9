import { z } from 'zod';
import { pictureEditSchema } from './picture-edits';
import { planSchema } from './protocol';
import { problemSchema } from './result';
import { pictureFactsSchema } from './picture-protocol';
import { datasetFields } from './dataset-form';

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
  /** The concepts of the form that go there, counted from 0. */
  concepts: z.array(z.int().min(0)),
  repeats: z.int().min(0),
  /** Pictures of the form that it will hold. */
  images: z.int().min(0),
  /** Of these, how many are brought there; the others are there already. */
  added: z.int().min(0),
  /** Of these, how many can be linked where that is wished. */
  linkable: z.int().min(0),
  /** What the copies take on the disk. */
  bytes: z.int().min(0),
  /** The folder is there already; what is in it stays. */
  exists: z.boolean(),
});

/** A `<repeats>_<prompt>` folder of an earlier preparation, which is trained on too. */
const leftoverSchema = z.strictObject({
  role: z.enum(['img', 'reg']),
  path: z.string(),
  images: z.int().min(0),
  /** The folder that it can be renamed to, because it holds the same pictures and only the repeats changed. */
  renameTo: z.string().nullable(),
});
export type Leftover = z.infer<typeof leftoverSchema>;

/** The last thing that was done to a project's folders, which can be taken back. */
const lastChangeSchema = z.strictObject({
  id: z.string(),
  /** What was done: `Prepared 12 images`. */
  title: z.string(),
  createdAt: z.string(),
});
export type LastChange = z.infer<typeof lastChangeSchema>;

export const preparationPlanSchema = z.strictObject({
  folders: z.array(plannedFolderSchema),
  leftovers: z.array(leftoverSchema),
  images: z.int().min(0),
  bytes: z.int().min(0),
  freeBytes: z.int().min(0),
  /** Null while the pictures cannot be planned. */
  plan: planSchema.nullable(),
  /** What keeps the button from being pressed, by concept and form field; of no concept for the destination. */
  problems: z.array(
    z.strictObject({
      concept: z.int().min(0).nullable(),
      field: z.enum(datasetFields),
      problem: problemSchema,
    }),
  ),
  warnings: z.array(problemSchema),
  lastChange: lastChangeSchema.nullable(),
});
export type PreparationPlan = z.infer<typeof preparationPlanSchema>;

export const undoneSchema = z.strictObject({
  title: z.string(),
  removed: z.int().min(0),
  movedBack: z.int().min(0),
  /** What stays as it is, and why. */
  stayed: z.array(problemSchema),
});
export type Undone = z.infer<typeof undoneSchema>;

/** What was dropped on the window, by kind. */
export const droppedSchema = z.strictObject({
  folders: z.array(z.string()),
  pictures: z.array(z.string()),
  others: z.array(z.string()),
});
export type Dropped = z.infer<typeof droppedSchema>;

const balanceRowSchema = z.strictObject({
  name: z.string(),
  images: z.int().min(0),
  /** Null where the name begins with no number. */
  repeats: z.int().min(0).nullable(),
  newRepeats: z.int().min(0),
  /** The same where nothing changes. */
  newName: z.string(),
  /** Why it cannot be renamed. */
  problem: z.string().nullable(),
});
export const balanceSchema = z.strictObject({
  folder: z.string(),
  rows: z.array(balanceRowSchema),
  lastChange: lastChangeSchema.nullable(),
});
export type Balance = z.infer<typeof balanceSchema>;

export const preparedSchema = z.strictObject({
  /** The folder with the copied pictures: what is captioned next. */
  imagesFolder: z.string(),
  train_data_dir: z.string(),
  /** Empty when there are no regularization pictures. */
  reg_data_dir: z.string(),
  output_dir: z.string(),
  logging_dir: z.string(),
  copied: z.int().min(0),
  linked: z.int().min(0),
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
