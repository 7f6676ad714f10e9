import { resolve } from 'node:path';
import type { Inspection } from '../../shared/worker-protocol';
import type { Context } from './context';
import { createWorker } from './plan';
import { print, printAside } from './print';

/** `inspect FILE`: what is in a LoRA; 1 when something in it is NaN or empty. */
export async function inspectCommand(
  context: Context,
  file: string,
  asJson: boolean,
): Promise<number> {
  const worker = createWorker(context);
  try {
    const inspection = await worker.ask('inspect', { path: resolve(file) });
    if (asJson) print(JSON.stringify(inspection));
    else printInspection(inspection);
    return findFaults(inspection).length === 0 ? 0 : 1;
  } finally {
    worker.dispose();
  }
}

/** Why a LoRA is not whole; empty when it is. */
export function findFaults({ modules, nonFiniteTensors, emptyModules }: Inspection): string[] {
  const faults: string[] = [];
  if (modules.length === 0) faults.push('It holds no LoRA modules.');
  if (nonFiniteTensors.length > 0)
    faults.push(
      `${String(nonFiniteTensors.length)} tensors hold NaN or infinity: ${firstOf(nonFiniteTensors)}`,
    );
  if (emptyModules.length > 0)
    faults.push(`${String(emptyModules.length)} modules do nothing: ${firstOf(emptyModules)}`);
  return faults;
}

const firstOf = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ', ...' : '');

/** What `inspect` says of a LoRA. Files of some kinds have no ranks and no alphas. */
export function describeInspection(inspection: Inspection): string[] {
  const { path, bytes, tensors, dtypes, modules, parts, ranks, alphas, metadata } = inspection;
  return [
    `File: ${path} (${String(bytes)} bytes, ${dtypes.join(', ')})`,
    `Modules: ${String(modules.length)} (${String(tensors)} tensors)`,
    `  U-Net ${String(parts.unet)}, text encoder 1 ${String(parts.textEncoder1)}, text encoder 2 ${String(parts.textEncoder2)}, other ${String(parts.other)}`,
    ...(ranks.length > 0 ? [`Rank: ${ranks.join(', ')}`] : []),
    ...(alphas.length > 0 ? [`Alpha: ${alphas.join(', ')}`] : []),
    'Metadata:',
    ...Object.entries(metadata).map(([key, value]) => `  ${key}: ${value}`),
  ];
}

function printInspection(inspection: Inspection): void {
  for (const line of describeInspection(inspection)) print(line);
  const faults = findFaults(inspection);
  for (const fault of faults) printAside(`Fault: ${fault}`);
  if (faults.length === 0) print('Whole: nothing in it is NaN or empty.');
}
