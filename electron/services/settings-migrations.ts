import { z } from 'zod';
import { settingsVersion } from '../../shared/settings';
import { ProblemError } from '../../shared/result';

type Migration = (settings: Record<string, unknown>) => Record<string, unknown>;

const object = z.record(z.string(), z.unknown());

/** A project had one concept, with one folder of pictures. */
function severalConcepts(settings: Record<string, unknown>): Record<string, unknown> {
  const project = object.parse(settings['project']);
  const { imagesFolder, destination, ...concept } = object.parse(project['dataset']);
  const folders = imagesFolder === '' ? [] : [imagesFolder];
  const concepts = [{ ...concept, folders, files: [] }];
  return {
    ...settings,
    project: { ...project, dataset: { concepts, destination, transfer: 'copy' } },
  };
}

/** From the version of each key to the next one. A migration, once released, is never changed. */
const migrations: Readonly<Record<number, Migration>> = { 1: severalConcepts };

/** Settings of any earlier version in today's shape; still to be checked by the schema. */
export function migrate(
  raw: unknown,
  chain: Readonly<Record<number, Migration>> = migrations,
  current: number = settingsVersion,
): unknown {
  if (typeof raw !== 'object' || raw === null || !('schemaVersion' in raw))
    throw new ProblemError('settings_shape', 'The settings file has no version.');
  let settings: Record<string, unknown> = { ...raw };
  for (let version = Number(settings['schemaVersion']); version !== current; version += 1) {
    const step = chain[version];
    if (step === undefined)
      throw new ProblemError(
        'settings_version',
        `The settings are of version ${String(version)}, which this app does not know.`,
      );
    settings = { ...step(settings), schemaVersion: version + 1 };
  }
  return settings;
}
