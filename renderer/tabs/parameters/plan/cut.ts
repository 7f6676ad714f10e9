type Size = readonly [number, number];

/** How much of a resized picture is cut away for its bucket, from 0 to 1. */
export const cutShare = ([width, height]: Size, [kept, high]: Size): number =>
  1 - (kept * high) / (width * height);
