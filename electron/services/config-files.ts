import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { OpenedConfig, Response } from '../../shared/contract';
import { exportConfig, importConfig } from '../../shared/kohya/config-file';
import type { ConfigKind } from '../../shared/kohya/config-kinds';
import { otherwiseThere } from '../../shared/kohya/there';
import { defaultTrainConfig, type TrainConfig } from '../../shared/parameters';
import { ProblemError } from '../../shared/result';
import type { TrainDraft } from '../../shared/settings';
import { writeFileAtomically } from '../lib/atomic-file';
import { fileProblem, isThere } from '../lib/file-problem';

/** A config is a few kilobytes: what is larger is something else. */
const MAX_BYTES = 4_000_000;

/**
 * A config of kohya_ss, of sd-scripts or of ours, with what became of it. Nothing is kept of it here.
 *
 * @throws ProblemError as `importConfig`, `not_a_config` for what is no such file, and what can go wrong with a file
 */
export async function openConfig(path: string): Promise<OpenedConfig> {
  const name = basename(path);
  const text = await readSmallText(path, name).catch((error: unknown) => {
    throw fileProblem(error, path);
  });
  return { name, ...importConfig(text, name) };
}

async function readSmallText(path: string, name: string): Promise<string> {
  const file = await stat(path);
  if (!file.isFile() || file.size > MAX_BYTES || !/^\.(json|toml)$/iu.test(extname(path)))
    throw new ProblemError(
      'not_a_config',
      `${name} is no configuration.`,
      'Choose a .json file of kohya_ss or of a run, or a .toml file of sd-scripts.',
    );
  return readFile(path, 'utf8');
}

/** As typed: what cannot be used yet is written as it stands. */
const configOf = (draft: TrainDraft): TrainConfig =>
  ({ ...defaultTrainConfig, ...draft }) as TrainConfig;

/**
 * Writes a config to the place that is chosen.
 *
 * @param choosePlace asks for it, and whether a file that is there may be replaced; null when it was cancelled
 * @throws ProblemError `file_exists` where a name became that of another file by its ending
 */
export async function saveConfig(
  draft: TrainDraft,
  kind: ConfigKind,
  choosePlace: (suggested: string) => Promise<string | null>,
): Promise<Response<'config:save'>> {
  const config = configOf(draft);
  const text = exportConfig(config, kind);
  const chosen = await choosePlace(join(config.output_dir, `${config.output_name}.${kind}`));
  if (chosen === null) return null;
  const path = await withEnding(chosen, kind);
  await writeFileAtomically(path, text);
  return { path, otherwise: otherwiseThere(config) };
}

/** Not every system's dialog adds it, and then has asked about another file. */
async function withEnding(path: string, kind: ConfigKind): Promise<string> {
  if (extname(path).toLowerCase() === `.${kind}`) return path;
  const whole = `${path}.${kind}`;
  if (!(await isThere(whole))) return whole;
  throw new ProblemError(
    'file_exists',
    `${basename(whole)} is there already.`,
    'Choose that file to replace it, or another name.',
  );
}
