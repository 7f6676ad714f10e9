import type { TrainConfig } from '../parameters';
import type { ConfigKind } from './config-kinds';
import { exportKohyaJson } from './export-json';
import { exportTrainerToml } from './export-toml';
import { importKohyaJson } from './import-json';
import { importTrainerToml } from './import-toml';
import type { ConfigImport } from './notes';

/**
 * Reads a config by the ending of its file's name; any other than .toml is JSON.
 *
 * @throws ProblemError as `importKohyaJson` and `importTrainerToml`
 */
export const importConfig = (text: string, name: string): ConfigImport =>
  name.toLowerCase().endsWith('.toml')
    ? importTrainerToml(text, name)
    : importKohyaJson(text, name);

/** @throws ProblemError `bad_value` where a value cannot be meant */
export const exportConfig = (config: TrainConfig, kind: ConfigKind): string =>
  kind === 'toml' ? exportTrainerToml(config) : exportKohyaJson(config);
