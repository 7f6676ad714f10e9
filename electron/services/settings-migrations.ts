import { ProblemError } from '../../shared/result';

type Migration = (settings: Record<string, unknown>) => Record<string, unknown>;

/** From the version of each key to the next one. A migration, once released, is never changed. */
const migrations: Readonly<Record<number, Migration>> = {};

const CURRENT = 1;

/** Settings of any earlier version in today's shape; still to be checked by the schema. */
export function migrate(
  raw: unknown,
  chain: Readonly<Record<number, Migration>> = migrations,
  current = CURRENT,
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
