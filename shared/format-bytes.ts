const byteUnits = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** Multiples of 1024, as the file managers of Windows and Linux count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${byteUnits[unit]}`;
}
