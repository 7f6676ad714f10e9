import { basename, extname } from 'node:path';
import { configKinds } from '../../shared/kohya/config-kinds';
import { exportConfig } from '../../shared/kohya/config-file';
import { otherwiseThere } from '../../shared/kohya/there';
import { ProblemError } from '../../shared/result';
import { writeFileAtomically } from '../lib/atomic-file';
import { isThere } from '../lib/file-problem';
import { readConfigText } from './config-file';
import { print, printAside } from './print';

/** `export CONFIG FILE`: a config as kohya_ss or sd-scripts reads it. Replaces no file. */
export async function exportCommand(from: string, to: string): Promise<number> {
  const kind = configKinds.find((each) => extname(to).toLowerCase() === `.${each}`);
  if (kind === undefined)
    throw new ProblemError(
      'usage',
      `${basename(to)} must end with .json or .toml.`,
      'See: atelier export --help',
    );
  if (await isThere(to))
    throw new ProblemError('file_exists', `${to} is there already.`, 'Give another name.');
  const config = await readConfigText(from);
  await writeFileAtomically(to, exportConfig(config, kind));
  for (const sentence of otherwiseThere(config)) printAside(`Kohya’s trainer: ${sentence}`);
  print(to);
  return 0;
}
