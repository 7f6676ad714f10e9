import { randomUUID } from 'node:crypto';
import { readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Request } from '../../shared/contract';
import type { OwnPresets } from '../../shared/parameter-answers';
import {
  isSameName,
  presetNameSchema,
  readPresetValues,
  type OwnPreset,
} from '../../shared/preset-values';
import { ProblemError, toProblem, type Problem } from '../../shared/result';
import { writeJsonAtomically } from '../lib/atomic-file';
import { fileProblem, isNotFound } from '../lib/file-problem';
import type { Log } from './log';

const VERSION = 1;
const EXTENSION = '.json';

const fileSchema = z.object({
  schemaVersion: z.literal(VERSION),
  name: presetNameSchema,
  values: z.record(z.string(), z.unknown()),
});
const versionedSchema = z.object({ schemaVersion: z.int().min(1) });

/**
 * The user's own presets: one JSON file each, so that a broken one costs no other and one can be passed on as a file.
 * Read anew each time they are asked for: the folder is theirs.
 */
export class Presets {
  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /** A file that cannot be understood is set aside under another name; that and whatever else is wrong is told. */
  async list(): Promise<OwnPresets> {
    const presets: OwnPreset[] = [];
    const problems: Problem[] = [];
    for (const file of await this.#files()) {
      try {
        presets.push(await this.#read(file));
      } catch (error) {
        this.log.error(`The preset ${file} could not be read`, error);
        problems.push(toProblem(fileProblem(error, join(this.folder, file))));
      }
    }
    presets.sort((one, other) => one.name.localeCompare(other.name));
    return { presets, problems };
  }

  /** Raises ProblemError `preset_exists` when one has the name and is not to be replaced. */
  async save({ name, values, replace }: Request<'presets:save'>): Promise<OwnPreset> {
    const existing = (await this.list()).presets.find((preset) => isSameName(preset.name, name));
    if (existing !== undefined && !replace) throw nameTaken(existing.name);
    const id = existing?.id ?? randomUUID();
    await writeJsonAtomically(this.#pathOf(id), { schemaVersion: VERSION, name, values });
    return { id, name, values, ignored: [] };
  }

  /** Raises ProblemError `preset_exists` when another has the name, `preset_gone` when the preset is not there. */
  async rename(id: string, name: string): Promise<OwnPreset> {
    const { presets } = await this.list();
    const other = presets.find((preset) => preset.id !== id && isSameName(preset.name, name));
    if (other !== undefined) throw nameTaken(other.name);
    const preset = wanted(presets, id);
    // As the file has it, with what another version of the app knows of.
    const raw: unknown = JSON.parse(await readFile(this.#pathOf(id), 'utf8'));
    await writeJsonAtomically(this.#pathOf(id), { ...fileSchema.parse(raw), name });
    return { ...preset, name };
  }

  /** Raises ProblemError `preset_gone` when the preset is not there. */
  async delete(id: string): Promise<void> {
    const { presets } = await this.list();
    await rm(this.#pathOf(wanted(presets, id).id));
  }

  async #files(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.folder);
      return names.filter((name) => name.endsWith(EXTENSION)).sort();
    } catch (error) {
      if (isNotFound(error)) return [];
      throw fileProblem(error, this.folder);
    }
  }

  async #read(file: string): Promise<OwnPreset> {
    const path = join(this.folder, file);
    const text = await readFile(path, 'utf8');
    const raw = parsed(text);
    const version = versionedSchema.safeParse(raw).data?.schemaVersion;
    if (version !== undefined && version > VERSION)
      throw new ProblemError(
        'preset_version',
        `The preset ${path} is of version ${version}, which this app does not know.`,
        'A newer version of the app made it. It stays where it is.',
      );
    const found = fileSchema.safeParse(raw);
    if (!found.success) throw await this.#setAside(path);
    const { name, values } = found.data;
    return { id: file.slice(0, -EXTENSION.length), name, ...readPresetValues(values) };
  }

  /** Out of the way of the next reading, but not lost. */
  async #setAside(path: string): Promise<ProblemError> {
    const time = new Date().toISOString().replace(/[:.]/gu, '-');
    const aside = `${path.slice(0, -EXTENSION.length)}.broken-${time}`;
    await rename(path, aside);
    return new ProblemError(
      'preset_broken',
      `The preset ${path} could not be read.`,
      `Nothing is lost: the file is now ${aside}`,
    );
  }

  #pathOf = (id: string): string => join(this.folder, `${id}${EXTENSION}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only what was found in the folder: an id is never made into a path unseen. */
function wanted(presets: readonly OwnPreset[], id: string): OwnPreset {
  const preset = presets.find((each) => each.id === id);
  if (preset !== undefined) return preset;
  throw new ProblemError(
    'preset_gone',
    'The preset is not there any more.',
    'Its file was moved or deleted outside the app.',
  );
}

const nameTaken = (name: string): ProblemError =>
  new ProblemError(
    'preset_exists',
    `There is a preset with the name ${name} already.`,
    'Choose another name, or delete that one first.',
  );
