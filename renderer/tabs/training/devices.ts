import type { TrainConfig } from '../../../shared/parameters';
import type { Device } from '../../../shared/protocol';

/** The devices that a training uses: GPUs by their numbers, or the processor. */
export function devicesInUse(
  { gpu_ids, num_processes }: Pick<TrainConfig, 'gpu_ids' | 'num_processes'>,
  devices: readonly Device[],
): readonly Device[] {
  if (devices[0]?.kind !== 'cuda') return devices.slice(0, 1);
  const written = gpu_ids.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  const numbers = written.length > 0 ? written : devices.map((_device, number) => number);
  return numbers.slice(0, num_processes).flatMap((number) => devices[number] ?? []);
}

/** `2 × NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 3090` */
export function namesOf(devices: readonly Device[]): string {
  const counts = new Map<string, number>();
  for (const { name } of devices) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => (count === 1 ? name : `${String(count)} × ${name}`))
    .join(', ');
}

/** How many train together; nothing where one does it alone. */
export function describeProcesses({
  num_processes,
  num_machines,
  machine_rank,
}: Pick<TrainConfig, 'num_processes' | 'num_machines' | 'machine_rank'>): string {
  const processes = num_processes > 1 ? [`${String(num_processes)} processes`] : [];
  const machines =
    num_machines > 1 ? [`machine ${String(machine_rank + 1)} of ${String(num_machines)}`] : [];
  return [...processes, ...machines].join(', ');
}
