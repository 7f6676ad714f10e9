import { z } from 'zod';
import { trainConfigSchema } from './parameters';
import { count, sizeSchema } from './protocol';

/** What the app asks of the bridge about pictures, and the answers. */

export const pictureRequestSchema = z
  .strictObject({
    type: z.literal('picture'),
    id: z.int(),
    path: z.string(),
    /** Where its thumbnail is written, as WebP, unless it is there already: then the picture is known to be whole. */
    thumbnail: z.string(),
  })
  .meta({ id: 'PictureRequest' });

export const showRequestSchema = z
  .strictObject({
    type: z.literal('show'),
    id: z.int(),
    path: z.string(),
    /** Where the picture is written, as WebP, upright and in at most `side` pixels a side. */
    target: z.string(),
    side: z.int().min(1).max(16_383),
    /** With the crop that is kept beside it; it is turned as that says in any case. */
    cropped: z.boolean(),
  })
  .meta({ id: 'ShowRequest' });

/** The parameters that decide which bucket a picture goes into. */
export const bucketParametersSchema = trainConfigSchema
  .pick({
    max_resolution: true,
    enable_bucket: true,
    min_bucket_reso: true,
    max_bucket_reso: true,
    bucket_reso_steps: true,
    bucket_no_upscale: true,
  })
  .meta({ id: 'BucketParameters' });
export type BucketParameters = z.infer<typeof bucketParametersSchema>;

export const placeRequestSchema = z
  .strictObject({
    type: z.literal('place'),
    id: z.int(),
    config: bucketParametersSchema,
    sizes: z.array(sizeSchema).max(20_000),
  })
  .meta({ id: 'PlaceRequest' });

/** What a picture is to the code that trains on it. */
export const pictureFactsSchema = z
  .strictObject({
    /** As shown, that is with the EXIF orientation applied; 0 when it cannot be read. */
    width: count(),
    height: count(),
    format: z.string(),
    /** Why it cannot be used; null when it can. */
    problem: z.string().nullable(),
  })
  .meta({ id: 'PictureFacts' });
export type PictureFacts = z.infer<typeof pictureFactsSchema>;

/** The picture that was written. */
export const shownPictureSchema = z
  .strictObject({ width: count(), height: count() })
  .meta({ id: 'ShownPicture' });

/** Where a picture of some size comes into its bucket. */
const placeSchema = z
  .strictObject({
    /** The picture's own. */
    size: sizeSchema,
    bucket: sizeSchema,
    resized: sizeSchema,
    /** Left and top, in the resized picture, of the middle of the places where it may be cut. */
    crop: z.tuple([count(), count()]),
    /** It is made larger to fill the bucket. */
    enlarged: z.boolean(),
  })
  .meta({ id: 'Place' });
export type Place = z.infer<typeof placeSchema>;

export const placesSchema = z
  .strictObject({
    /** In the order of the sizes; one that fits no bucket is left out. */
    places: z.array(placeSchema),
  })
  .meta({ id: 'Places' });
export type Places = z.infer<typeof placesSchema>;
