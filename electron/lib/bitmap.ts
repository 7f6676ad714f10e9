export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  /** RGB, row by row from the top. */
  readonly data: Buffer;
}

const FILE_HEADER = 14;

/** Reads an uncompressed BMP with 24 or 32 bits a pixel, which libvips cannot. @throws Error for any other */
export function readBitmap(file: Buffer): Bitmap {
  if (file.length < FILE_HEADER + 40 || file.toString('latin1', 0, 2) !== 'BM')
    throw new Error('unsupported image format');
  const start = file.readUInt32LE(10);
  const width = file.readInt32LE(18);
  const signedHeight = file.readInt32LE(22);
  const bits = file.readUInt16LE(28);
  const compression = file.readUInt32LE(30);
  const isPlain =
    (bits === 24 && compression === 0) || (bits === 32 && (compression === 0 || compression === 3));
  if (!isPlain) throw new Error('unsupported image format');
  const height = Math.abs(signedHeight);
  const bytes = bits / 8;
  const rowBytes = Math.ceil((width * bytes) / 4) * 4;
  if (width <= 0 || height === 0 || file.length < start + rowBytes * height)
    throw new Error('The file is truncated.');

  const data = Buffer.allocUnsafe(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const row = start + rowBytes * (signedHeight > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x += 1) {
      const from = row + x * bytes;
      const to = (y * width + x) * 3;
      data[to] = file[from + 2] ?? 0;
      data[to + 1] = file[from + 1] ?? 0;
      data[to + 2] = file[from] ?? 0;
    }
  }
  return { width, height, channels: 3, data };
}
