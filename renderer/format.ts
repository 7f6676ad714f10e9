/** Numbers as people read them. */

export { formatBytes } from '../shared/format-bytes';

export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function formatSpeed(secondsPerStep: number): string {
  if (secondsPerStep <= 0) return '–';
  return secondsPerStep >= 1
    ? `${secondsPerStep.toFixed(2)} s/step`
    : `${(1 / secondsPerStep).toFixed(1)} steps/s`;
}

export const formatImageSpeed = (imagesPerSecond: number): string =>
  `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 2 : 0)} images/s`;

export const formatCount = (value: number): string => value.toLocaleString('en-US');

/** `1 image`, `1,000 images`. */
export const formatQuantity = (value: number, singular: string, plural = `${singular}s`): string =>
  `${formatCount(value)} ${value === 1 ? singular : plural}`;

/** At most three significant digits, without a tail of zeros: 0.0003, 2.5e-5. */
export const formatRate = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-4
    ? value.toExponential(2).replace(/\.?0+e/u, 'e')
    : String(Number(value.toPrecision(3)));

export const formatLoss = (loss: number | null): string => (loss === null ? '–' : loss.toFixed(4));

/** The last part of a path of either system. */
export function baseName(path: string): string {
  const parts = path.split(/[\\/]+/u).filter((part) => part !== '');
  return parts.at(-1) ?? path;
}

export const formatWhen = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
