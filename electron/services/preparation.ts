import { join } from 'node:path';
import type {
  PreparationPlan,
  PreparationProgress,
  Prepared,
  Undone,
} from '../../shared/dataset-answers';
import type { DatasetForm } from '../../shared/dataset-form';
import type { TrainConfig } from '../../shared/parameters';
import type { Plan } from '../../shared/protocol';
import { ProblemError, toProblem, type Problem } from '../../shared/result';
import { sum } from '../lib/sum';
import { copyAll } from './copying';
import { destinationProblems, diskAt, freeBytesAt } from './destination-disk';
import type { FolderHistory } from './folder-history';
import { findLeftovers, type Leftover } from './leftovers';
import { planCopies, type FolderCopies } from './preparation-copies';
import {
  checkFields,
  checkPlaces,
  targetsOf,
  warning,
  type FieldProblem,
} from './preparation-form';
import {
  bytesOf,
  describeFolders,
  plainFolders,
  plannedConcepts,
  type Concepts,
} from './preparation-plan';
import { readTarget } from './source-pictures';
import type { Thumbnails } from './thumbnails';
import { undoLast } from './undoing';

export interface PreparationOptions {
  readonly thumbnails: Thumbnails;
  readonly history: FolderHistory;
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
    const { destination, transfer } = form;
    const { folders, problems } = await this.#draft(form);
    const free = await freeBytesAt(destination);
    const lastChange = await this.#options.history.describeLast(destination);
    if (folders.length === 0)
      return {
        folders: [],
        leftovers: [],
        images: 0,
        bytes: 0,
        freeBytes: free,
        plan: null,
        problems: [...problems],
        warnings: [],
        lastChange,
      };
    const bytes = bytesOf(allCopies(folders), transfer);
    const leftovers = await findLeftovers(destination, folders);
    const { plan, warnings } = await this.#trainingPlan(form, folders, leftovers);
    return {
      folders: await describeFolders(destination, folders, transfer),
      leftovers: leftovers.map(({ repeats: _repeats, prompt: _prompt, ...leftover }) => leftover),
      images: sum(folders.map(({ pictures }) => pictures.length)),
      bytes,
      freeBytes: free,
      plan,
      problems: [...problems, ...(await destinationProblems(destination, bytes, free))],
      warnings: [
        ...folders.flatMap((folder) => folder.warnings),
        ...linkWarning(form, folders),
        ...warnings,
      ],
      lastChange,
    };
  }

  /**
   * Makes the folders and brings the pictures. When it fails or is cancelled, what it has made so far goes again.
   *
   * @throws ProblemError the first problem of the form, `preparation_running`, `cancelled`, `disk_full`, `no_permission`
   */
  async prepare(form: DatasetForm): Promise<Prepared> {
    this.refuseWhileRunning();
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

  /** Takes back what was done to a project's folders last. @throws ProblemError as `undoLast` does */
  async undo(root: string, id?: string): Promise<Undone> {
    this.refuseWhileRunning();
    await this.#refuseOthers(root);
    return undoLast(this.#options.history, root, id);
  }

  /** @throws ProblemError `preparation_running` */
  refuseWhileRunning(): void {
    if (this.#abort !== null) throw isRunning();
  }

  async #refuseOthers(root: string): Promise<void> {
    if (await this.#options.history.isBusy(root)) throw isRunning();
  }

  async #prepare(form: DatasetForm, signal: AbortSignal): Promise<Prepared> {
    const { destination, transfer } = form;
    const { history, onProgress } = this.#options;
    const { folders, problems } = await this.#draft(form);
    const copies = allCopies(folders);
    const bytes = bytesOf(copies, transfer);
    const [first] = [
      ...problems,
      ...(await destinationProblems(destination, bytes, await freeBytesAt(destination))),
    ];
    if (first !== undefined) {
      const { code, message, hint } = first.problem;
      throw new ProblemError(code, message, hint);
    }
    await this.#refuseOthers(destination);
    await history.clearParts(destination);
    const wanted = [...folders.map(({ target }) => target.path), ...plainFolders(destination)];
    const added = sum(folders.map(({ pictures, kept }) => pictures.length - kept));
    const title = `Prepared ${String(added)} ${added === 1 ? 'image' : 'images'}`;
    const copying = { root: destination, title, folders: wanted, copies, transfer };
    const linked = await copyAll(copying, history, signal, onProgress);
    const hasRegularization = folders.some(({ target }) => target.role === 'reg');
    return {
      imagesFolder: folders[0]?.target.path ?? '',
      train_data_dir: join(destination, 'img'),
      reg_data_dir: hasRegularization ? join(destination, 'reg') : '',
      output_dir: join(destination, 'model'),
      logging_dir: join(destination, 'log'),
      copied: added - linked,
      linked,
      kept: sum(folders.map(({ kept }) => kept)),
    };
  }

  async #draft(form: DatasetForm): Promise<Draft> {
    const targets = targetsOf(form);
    const read = await Promise.all(
      targets.map(async (target) => ({
        target,
        ...(await readTarget(target, this.#options.thumbnails)),
      })),
    );
    const problems = [...checkFields(form), ...read.flatMap((each) => each.problems)];
    if (problems.length > 0) return { folders: [], problems };
    const misplaced = await checkPlaces(form, targets);
    if (misplaced.length > 0) return { folders: [], problems: misplaced };
    const disk = await diskAt(form.destination);
    const folders = await Promise.all(
      read.map(({ target, pictures }) => planCopies(target, pictures, disk)),
    );
    return { folders, problems: [] };
  }

  /** The plan of a training run on what will be in the folders; a warning instead when there is none to be had. */
  async #trainingPlan(
    { destination }: DatasetForm,
    folders: readonly FolderCopies[],
    leftovers: readonly Leftover[],
  ): Promise<{ readonly plan: Plan | null; readonly warnings: readonly Problem[] }> {
    const hasRegularization = folders.some(({ target }) => target.role === 'reg');
    const config = {
      ...this.#options.trainConfig(),
      train_data_dir: join(destination, 'img'),
      reg_data_dir: hasRegularization ? join(destination, 'reg') : '',
      output_dir: join(destination, 'model'),
      logging_dir: join(destination, 'log'),
      // What is drawn of the pictures is no matter of bringing them in.
      sample_prompts: '',
    };
    try {
      const plan = await this.#options.makePlan(config, plannedConcepts(folders, leftovers));
      return { plan, warnings: [] };
    } catch (error) {
      return { plan: null, warnings: [toProblem(error)] };
    }
  }
}

const isRunning = (): ProblemError =>
  new ProblemError(
    'preparation_running',
    'A dataset is being prepared.',
    'Wait for it, or cancel it.',
  );

const allCopies = (folders: readonly FolderCopies[]) => folders.flatMap(({ copies }) => copies);

/** Links cannot reach another disk. */
function linkWarning({ transfer }: DatasetForm, folders: readonly FolderCopies[]): Problem[] {
  const pictures = allCopies(folders).filter(({ kind }) => kind === 'picture');
  const copied = pictures.filter(({ canLink }) => !canLink).length;
  if (transfer === 'copy' || copied === 0) return [];
  return [
    warning(
      'not_linked',
      `${copied === 1 ? '1 image is' : `${String(copied)} images are`} copied, not linked: the destination is on another disk.`,
      'A link only works within one disk.',
    ),
  ];
}
