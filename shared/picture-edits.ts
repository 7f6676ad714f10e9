import { z } from 'zod';

/** How a picture is turned and cropped. It is kept in `photo.jpg.edit.json` beside `photo.jpg`, which stays as it is. */

const fraction = () => z.number().min(0).max(1);

/** Left, top, width and height of what is kept, as parts of the turned picture. */
export const cropSchema = z.tuple([fraction(), fraction(), fraction(), fraction()]);
export type Crop = z.infer<typeof cropSchema>;

const turns = [0, 90, 180, 270] as const;

export const pictureEditSchema = z.strictObject({
  /** Degrees, with the clock, of the picture as its EXIF orientation shows it. */
  rotate: z.literal(turns).default(0),
  crop: cropSchema.nullable().default(null),
});
export type PictureEdit = z.infer<typeof pictureEditSchema>;

export const noEdit: PictureEdit = { rotate: 0, crop: null };

const wholePicture: Crop = [0, 0, 1, 1];

/** Whether an edit leaves the picture as it is. */
export const changesNothing = ({ rotate, crop }: PictureEdit): boolean =>
  rotate === 0 && (crop === null || crop.every((part, index) => part === wholePicture[index]));

/** A picture turned once more, by a quarter with the clock; what was cropped stays cropped. */
export function turnedRight({ rotate, crop }: PictureEdit): PictureEdit {
  const turned = turns[(turns.indexOf(rotate) + 1) % turns.length] ?? 0;
  if (crop === null) return { rotate: turned, crop };
  const [left, top, width, height] = crop;
  return { rotate: turned, crop: [Math.max(0, 1 - top - height), left, height, width] };
}
