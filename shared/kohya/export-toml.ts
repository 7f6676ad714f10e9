import { stringify } from 'smol-toml';
import type { TrainConfig } from '../parameters';
import { importTrainerToml } from './import-toml';
import { keep } from './kept';
import { writeOptions } from './write-options';

/**
 * A config as sd-scripts reads it with `--config_file`. What it has no option for follows in a table that it does not
 * look into. Opened again here it is the same config. There are no tokens in it.
 */
export function exportTrainerToml(config: TrainConfig): string {
  const options = writeOptions(config);
  const { config: comesBack } = importTrainerToml(stringify(options));
  return stringify({ ...options, ...keep(config, comesBack) });
}
