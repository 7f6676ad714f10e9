import type { TrainConfig } from '../parameters';
import { importKohyaJson } from './import-json';
import { keep } from './kept';
import { writeFields } from './write-fields';

/**
 * A config as kohya_ss saves it: all its keys, sorted. What it has no field for is beside them, under a key that it does
 * not look at. Opened again here it is the same config. There are no tokens in it.
 */
export function exportKohyaJson(config: TrainConfig): string {
  const fields = writeFields(config);
  const { config: comesBack } = importKohyaJson(JSON.stringify(fields));
  const entries = Object.entries({ ...fields, ...keep(config, comesBack) }).sort(byCode);
  return `${escaped(JSON.stringify(Object.fromEntries(entries), null, 2))}\n`;
}

const byCode = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1;

/** As Python writes it: on some systems kohya_ss reads files in another encoding than UTF-8. */
const escaped = (json: string): string =>
  // Not by whole characters: JSON writes those beyond the first 65,536 as two.
  json.replaceAll(
    /[^\u0000-\u007e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
