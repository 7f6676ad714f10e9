import type { ParameterKey } from '../../../../shared/parameters';
import type { Device } from '../../../../shared/protocol';
import type { Memory, MemoryChange, MemoryParts } from '../../../../shared/worker-protocol';
import { formatBytes, formatQuantity } from '../../../format';

/** In the order in which they are drawn, from what is always there to what comes and goes. */
const parts = [
  { key: 'libraries', label: 'Libraries and gaps' },
  { key: 'weights', label: 'Base model' },
  { key: 'adapter', label: 'LoRA and its gradients' },
  { key: 'optimizer', label: 'Optimizer' },
  { key: 'activations', label: 'Activations' },
] as const satisfies readonly { key: keyof MemoryParts; label: string }[];

type Phase = Memory['phases'][number]['phase'];

/** Those of a training, as the run's own view calls them. */
export const phaseLabels: Partial<Record<Phase, string>> = {
  caching_latents: 'Cache images',
  caching_captions: 'Cache captions',
  loading_model: 'Load model',
  training: 'Train',
  sampling: 'Draw samples',
  saving: 'Save',
};

/** The device that has the least memory of those that train: each of them needs as much. */
export function tightest(devices: readonly Device[]): Device | null {
  const memory = (device: Device) => device.memoryBytes ?? Infinity;
  return devices.reduce<Device | null>(
    (least, device) => (least === null || memory(device) < memory(least) ? device : least),
    null,
  );
}

/** `this machine`, or the GPU's name. */
export const placeOf = (device: Device): string =>
  device.kind === 'cpu' ? 'this machine' : device.name;

export interface Segment {
  readonly key: keyof MemoryParts;
  readonly label: string;
  readonly bytes: number;
  /** Of the bar's width, from 0 to 1. */
  readonly share: number;
}

export interface Bar {
  readonly segments: readonly Segment[];
  /** Where the device's memory ends, from 0 to 1; null where that is not known. */
  readonly limit: number | null;
}

/** A training step beside the device's memory: whichever is more fills the bar. */
export function barOf({ parts: bytes, memoryBytes }: Memory): Bar {
  const together = parts.reduce((sum, { key }) => sum + bytes[key], 0);
  const whole = Math.max(together, memoryBytes ?? 0);
  return {
    segments: parts.map(({ key, label }) => ({
      key,
      label,
      bytes: bytes[key],
      share: bytes[key] / whole,
    })),
    limit: memoryBytes === null ? null : memoryBytes / whole,
  };
}

/** The phase that decides what has to be there. */
export const decisive = ({ phases, neededBytes }: Memory): Phase | undefined =>
  phases.find(({ bytes, fileBytes }) => bytes - fileBytes === neededBytes)?.phase;

/** How the figures came about, in a sentence or two. */
export function howCounted({ batch, pixels }: Memory, { kind }: Device): string {
  const load = `${formatQuantity(batch, 'picture')} of ${(pixels / 1e6).toPrecision(2)} megapixels`;
  const counted = `Counted from SDXL’s layers for the largest batch: ${load}.`;
  return kind === 'cpu'
    ? `${counted} On a CPU it is the memory of the whole process.`
    : `${counted} What other programs hold of the GPU comes on top.`;
}

/** What is said of whether it fits. */
export function verdict({ fits, neededBytes, memoryBytes }: Memory, device: Device): string {
  const needs = `Needs ${formatBytes(neededBytes)}.`;
  if (memoryBytes === null) return needs;
  const has = `${placeOf(device)} has ${formatBytes(memoryBytes)}.`;
  const place = has.charAt(0).toUpperCase() + has.slice(1);
  return `${needs} ${place} ${fits === true ? 'It fits.' : 'It does not fit.'}`;
}

/** All values that changes bring, by parameter. */
export function valuesOf(
  changes: readonly MemoryChange[],
): [key: ParameterKey, value: string | number | boolean][] {
  return changes.flatMap(({ values }) =>
    Object.entries(values).map(([key, value]): [ParameterKey, typeof value] => [
      key as ParameterKey,
      value,
    ]),
  );
}
