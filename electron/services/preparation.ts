import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PreparationPlan, PreparationProgress, Prepared } from '../../shared/dataset-answers';
import { parseFolderName } from '../../shared/kohya/folder-name';
import type { TrainConfig } from '../../shared/parameters';
import type { Plan } from '../../shared/protocol';
import type { WorkerRequest } from '../../shared/worker-protocol';
import { ProblemError, toProblem, type Problem } from '../../shared/result';
import type { DatasetForm } from '../../shared/settings';
import { sum } from '../lib/sum';
import { copyAll } from './copying';
import { destinationProblems, freeBytesAt } from './destination-disk';
import { readPictures } from './pictures';
import { planCopies, type FolderCopies } from './preparation-copies';
import {
  checkFields,
  checkPlaces,
  sourcesOf,
  warning,
  type FieldProblem,
  type Source,
} from './preparation-form';
import type { Thumbnails } from './thumbnails';

type PlanRequest = Extract<WorkerRequest, { type: 'plan' }>;
type Concepts = NonNullable<PlanRequest['concepts']>;

export interface PreparationOptions {
  readonly thumbnails: Thumbnails;
  readonly makePlan: (config: TrainConfig, concepts: Concepts) => Promise<Plan>;
  /** The training parameters as they stand. */
  readonly trainConfig: () => TrainConfig;
  readonly onProgress: (progress: PreparationProgress) => void;
}

/** What a form comes to. `folders` is empty while the form has problems. */
interface Draft {
  readonly folders: readonly FolderCopies[];
  readonly problems: readonly FieldProblem[];
}

/** Brings pictures into Kohya's layout. Only ever adds: nothing of the user's is moved, changed or removed. */
export class Preparation {
  readonly #options: PreparationOptions;
  #abort: AbortController | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  /** What `prepare` would make of this form, computed without touching anything. */
  async plan(form: DatasetForm): Promise<PreparationPlan> {
    const { folders, problems } = await this.#draft(form);
    const free = await freeBytesAt(form.destination);
    const bytes = sum(folders.flatMap(({ copies }) => copies.map((copy) => copy.bytes)));
    if (folders.length === 0)
      return {
        folders: [],
        images: 0,
        bytes: 0,
        freeBytes: free,
        plan: null,
        problems: [...problems],
        warnings: [],
      };
    const leftovers = await findLeftovers(form.destination, folders);
    const { plan, warnings } = await this.#trainingPlan(form, folders, leftovers);
    return {
      folders: await describeFolders(form.destination, folders),
      images: sum(folders.map(({ pictures }) => pictures.length)),
      bytes,
      freeBytes: free,
      plan,
      problems: [...problems, ...(await destinationProblems(form.destination, bytes, free))],
      warnings: [
        ...folders.flatMap((folder) => folder.warnings),
        ...leftovers.map(leftoverWarning),
        ...warnings,
      ],
    };
  }

  /**
   * Makes the folders and copies the pictures. When it fails or is cancelled, what it has made so far goes again.
   *
   * @throws ProblemError the first problem of the form, `preparation_running`, `cancelled`, `disk_full`, `no_permission`
   */
  async prepare(form: DatasetForm): Promise<Prepared> {
    if (this.#abort !== null)
      throw new ProblemError(
        'preparation_running',
        'A dataset is being prepared.',
        'Wait for it, or cancel it.',
      );
    this.#abort = new AbortController();
    const running = this.#prepare(form, this.#abort.signal).finally(() => {
      this.#abort = null;
    });
    this.#running = running.catch(() => undefined);
    return running;
  }

  /** Resolves when what was made so far is gone again. */
  async cancel(): Promise<void> {
    this.#abort?.abort();
    await this.#running;
  }

  async #prepare(form: DatasetForm, signal: AbortSignal): Promise<Prepared> {
    const { folders, problems } = await this.#draft(form);
    const copies = folders.flatMap((folder) => folder.copies);
    const bytes = sum(copies.map((copy) => copy.bytes));
    const [first] = [
      ...problems,
      ...(await destinationProblems(form.destination, bytes, await freeBytesAt(form.destination))),
    ];
    if (first !== undefined) {
      const { code, message, hint } = first.problem;
      throw new ProblemError(code, message, hint);
    }
    const wanted = [
      ...folders.map(({ source }) => source.target),
      ...plainFolders(form.destination),
    ];
    await copyAll(wanted, copies, signal, this.#options.onProgress);
    const [images, regularization] = folders;
    return {
      imagesFolder: images?.source.target ?? '',
      train_data_dir: join(form.destination, 'img'),
      reg_data_dir: regularization === undefined ? '' : join(form.destination, 'reg'),
      output_dir: join(form.destination, 'model'),
      logging_dir: join(form.destination, 'log'),
      copied: sum(folders.map(({ pictures, kept }) => pictures.length - kept)),
      kept: sum(folders.map(({ kept }) => kept)),
    };
  }

  async #draft(form: DatasetForm): Promise<Draft> {
    const problems = checkFields(form);
    const sources = sourcesOf(form);
    const read = await Promise.all(sources.map((source) => this.#readSource(source)));
    problems.push(...read.flatMap(({ problems: found }) => found));
    if (problems.length > 0) return { folders: [], problems };
    const misplaced = await checkPlaces(form, sources);
    if (misplaced.length > 0) return { folders: [], problems: misplaced };
    const folders = await Promise.all(
      read.map(({ source, pictures }) => planCopies(source, pictures)),
    );
    return { folders, problems: [] };
  }

  async #readSource(source: Source) {
    const failed = (problem: Problem) => ({
      source,
      pictures: [],
      problems: [{ field: source.field, problem }],
    });
    try {
      const pictures = await readPictures(source.folder, this.#options.thumbnails);
      if (pictures.some((picture) => picture.problem === null))
        return { source, pictures, problems: [] };
      return failed({
        code: 'no_images',
        message: `There are no pictures that can be used in ${source.folder}.`,
        hint: 'It must hold the pictures themselves, such as .jpg, .png, .webp or .heic files; subfolders are not searched.',
      });
    } catch (error) {
      return failed(toProblem(error));
    }
  }

  /** The plan of a training run on what will be in the folders; a warning instead when there is none to be had. */
  async #trainingPlan(
    form: DatasetForm,
    folders: readonly FolderCopies[],
    leftovers: readonly Leftover[],
  ): Promise<{ readonly plan: Plan | null; readonly warnings: readonly Problem[] }> {
    const config = {
      ...this.#options.trainConfig(),
      train_data_dir: join(form.destination, 'img'),
      reg_data_dir: form.regularizationFolder === '' ? '' : join(form.destination, 'reg'),
      output_dir: join(form.destination, 'model'),
      logging_dir: join(form.destination, 'log'),
      // What is drawn of the pictures is no matter of bringing them in.
      sample_prompts: '',
    };
    const concepts = [
      ...folders.map(({ source }) => ({
        folder: source.folder,
        prompt: source.prompt,
        repeats: source.repeats,
        regularization: source.role === 'reg',
      })),
      ...leftovers.map(({ folder, role, repeats, prompt }) => ({
        folder,
        prompt,
        repeats,
        regularization: role === 'reg',
      })),
    ];
    try {
      const plan = await this.#options.makePlan(config, concepts);
      return { plan, warnings: [] };
    } catch (error) {
      return { plan: null, warnings: [toProblem(error)] };
    }
  }
}

interface Leftover {
  readonly role: Source['role'];
  readonly folder: string;
  readonly repeats: number;
  readonly prompt: string;
}

/** Other `<repeats>_<prompt>` folders that are there from before: Kohya and we train on all of them. */
async function findLeftovers(
  destination: string,
  folders: readonly FolderCopies[],
): Promise<Leftover[]> {
  const found = await Promise.all(
    folders.map(async ({ source: { role, target } }) => {
      const names = await readdir(join(destination, role)).catch(() => []);
      return names.flatMap((name) => {
        const parsed = name === basename(target) ? null : parseFolderName(name);
        if (parsed === null || parsed.repeats < 1) return [];
        return [{ role, folder: join(destination, role, name), ...parsed }];
      });
    }),
  );
  return found.flat();
}

const leftoverWarning = ({ role, folder }: Leftover): Problem =>
  warning(
    'leftover_folder',
    `${role}/${basename(folder)} is there from an earlier preparation and will be trained on too.`,
    'Remove it yourself, or choose another destination.',
  );

const plainFolders = (destination: string): readonly string[] => [
  join(destination, 'log'),
  join(destination, 'model'),
];

async function describeFolders(
  destination: string,
  folders: readonly FolderCopies[],
): Promise<PreparationPlan['folders']> {
  const plain = (['log', 'model'] as const).map(async (role) => {
    const path = join(destination, role);
    const exists = await readdir(path).then(
      () => true,
      () => false,
    );
    return { role, path, images: 0, bytes: 0, exists };
  });
  return [
    ...folders.map(({ source, pictures, copies, exists }) => ({
      role: source.role,
      path: source.target,
      images: pictures.length,
      bytes: sum(copies.map((copy) => copy.bytes)),
      exists,
    })),
    ...(await Promise.all(plain)),
  ];
}
