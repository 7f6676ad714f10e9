type Size = readonly [number, number];

/** How much of a resized picture is cut away for its bucket, from 0 to 1. */
export const cutShare = ([width, height]: Size, [kept, high]: Size): number =>
  1 - (kept * high) / (width * height);

const percent = (part: number, whole: number): string => `${(100 * part) / whole}%`;

/** Where, on a resized picture, what is kept for its bucket lies, as a style. */
export const keptBox = ([left, top]: Size, [kept, high]: Size, [width, height]: Size) => ({
  left: percent(left, width),
  top: percent(top, height),
  width: percent(kept, width),
  height: percent(high, height),
});
