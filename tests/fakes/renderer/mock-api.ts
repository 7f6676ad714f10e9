import type { Api, Broadcast, BroadcastPayload, ImageInfo, PreparationPlan } from '../../../shared/contract';
import type { JobSummary, JobView } from '../../../shared/job-view';
import type { JobEvent, Plan } from '../../../shared/protocol';
import type { Problem, Result } from '../../../shared/result';
import type { Settings } from '../../../shared/settings';

/**
 * A `window.api` without a main process, for looking at the renderer alone. It is put into a page as text, so it must
 * import nothing but types. `scenario` says what the pretended machine holds.
 */
export interface Scenario {
  readonly settings: Settings;
  /** Pictures by folder; a folder that is not named here does not exist. */
  readonly folders: Readonly<Record<string, readonly ImageInfo[]>>;
  readonly plan: Plan;
  readonly jobs: readonly JobView[];
  readonly console: string;
  /** Events that a job sends after it was started, one batch every 100 ms. */
  readonly scripts: Readonly<Record<'train' | 'caption', readonly Partial<JobEvent>[]>>;
  readonly worker: Problem | null;
  readonly fallbackRuntime: boolean;
  readonly modelProblem: Problem | null;
  /** Address of a thumbnail, with `%` for the picture's id. */
  readonly thumbnails: string;
}

export function installMockApi(scenario: Scenario): void {
  type Listener = (payload: unknown) => void;
  const listeners = new Map<Broadcast, Set<Listener>>();
  const jobs = new Map<string, JobView>(scenario.jobs.map((job) => [job.id, job]));
  const captions = new Map<string, string>();
  let settings = scenario.settings;
  let cancelled = false;

  const emit = <B extends Broadcast>(broadcast: B, payload: BroadcastPayload<B>) => {
    for (const listener of listeners.get(broadcast) ?? []) listener(payload);
  };
  const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
  const good = <T>(value: T): Result<T> => ({ ok: true, value });
  const bad = (code: string, message: string, hint: string): Result<never> => ({
    ok: false,
    error: { code, message, hint },
  });
  const summary = ({ points: _, ...rest }: JobView): JobSummary => rest;

  const idOf = (path: string) =>
    Object.values(scenario.folders).flat().find((image) => image.path === path)?.id ?? '';

  async function play(job: JobView, script: readonly Partial<JobEvent>[]): Promise<void> {
    let seq = 0;
    for (const part of script) {
      if (jobs.get(job.id)?.status.kind === 'stopping') {
        finish(job, ++seq, 'stopped');
        return;
      }
      await wait(100);
      seq += 1;
      const event = { v: 1, seq, time: Date.now() / 1000, ...part } as JobEvent;
      if (event.type === 'caption' && event.outcome === 'written') captions.set(idOf(event.image), event.text);
      emit('jobs:events', { jobId: job.id, events: [event] });
    }
    const known = jobs.get(job.id) ?? job;
    const last = script.at(-1);
    if (last?.type === 'finished') {
      jobs.set(job.id, { ...known, status: { kind: last.outcome ?? 'completed' }, lastSeq: seq });
      emit('jobs:changed', summary({ ...known, status: { kind: 'completed' }, lastSeq: seq }));
    }
  }

  function finish(job: JobView, seq: number, outcome: 'completed' | 'stopped'): void {
    const time = Date.now() / 1000;
    const outputs = job.kind === 'train' ? ['/home/ana/rihanna/model/rihanna_v1.safetensors'] : [];
    emit('jobs:events', { jobId: job.id, events: [{ type: 'finished', v: 1, seq, time, outcome, outputs }] });
    emit('jobs:changed', summary({ ...job, status: { kind: outcome }, lastSeq: seq, outputs }));
  }

  const scan = (folder: string): Result<{ folder: string; images: ImageInfo[] }> => {
    const images = scenario.folders[folder];
    if (images === undefined)
      return bad('folder_missing', `The folder ${folder} does not exist.`, 'Check the path, or choose it with Browse.');
    return good({ folder, images: images.map((image) => ({ ...image, caption: captions.get(image.id) ?? image.caption })) });
  };

  function preparation(form: Settings['project']['dataset']): PreparationPlan {
    const problems: PreparationPlan['problems'] = [];
    const add = (field: keyof typeof form, message: string) =>
      problems.push({ field, problem: { code: 'field', message } });
    if (form.instancePrompt === '') add('instancePrompt', 'Instance prompt is empty.');
    if (form.instancePrompt.includes('/')) add('instancePrompt', 'Instance prompt must not contain /.');
    if (form.classPrompt === '') add('classPrompt', 'Class prompt is empty.');
    if (form.imagesFolder === '') add('imagesFolder', 'No images folder is chosen.');
    if (form.destination === '') add('destination', 'No destination is chosen.');
    if (form.repeats === null) add('repeats', 'Repeats must be a whole number from 1 to 10000.');
    const images = scenario.folders[form.imagesFolder] ?? [];
    const usable = images.filter(({ problem }) => problem === null);
    const reg = scenario.folders[form.regularizationFolder] ?? [];
    const size = (list: readonly ImageInfo[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);
    const folder = (role: 'img' | 'reg' | 'log' | 'model', name: string, list: readonly ImageInfo[]) => ({
      role, path: `${form.destination}/${name}`, images: list.length, bytes: size(list), exists: role === 'log',
    });
    const folders = problems.length > 0 ? [] : [
      folder('img', `img/${form.repeats}_${form.instancePrompt} ${form.classPrompt}`, usable),
      ...(reg.length > 0 ? [folder('reg', `reg/${form.regularizationRepeats}_${form.classPrompt}`, reg)] : []),
      folder('log', 'log', []),
      folder('model', 'model', []),
    ];
    return {
      folders, images: usable.length + reg.length, bytes: size(usable) + size(reg), freeBytes: 412e9,
      plan: problems.length > 0 ? null : scenario.plan, problems,
      warnings: usable.length < images.length
        ? [{ code: 'unusable', message: `${images.length - usable.length} image cannot be read and is left out.`, hint: 'Open it in an image editor and save it again.' }]
        : [],
    };
  }

  const invoke: Api['invoke'] = {
    'app:info': async () => good({ version: '0.1.0', electron: '22.3.25', fallbackRuntime: scenario.fallbackRuntime, dataFolder: '/home/ana/.atelier', logFolder: '/home/ana/.atelier/logs' }),
    'app:openLogFolder': async () => good(null),
    'settings:get': async () => good(settings),
    'settings:update': async (patch) => {
      settings = { ...settings, ...(patch as Partial<Settings>) };
      return good(settings);
    },
    'dialog:choose': async () => good({ path: '/home/ana/Pictures/rihanna' }),
    'datasets:folderOf': async ({ path }) => good({ folder: path }),
    'datasets:scan': async ({ folder }) => scan(folder),
    'datasets:planPreparation': async (form) => good(preparation(form)),
    'datasets:prepare': async (form) => {
      cancelled = false;
      const { images, bytes } = preparation(form);
      for (let done = 0; done <= images; done += Math.max(1, Math.ceil(images / 12))) {
        emit('datasets:preparationProgress', { done, total: images, bytesDone: (bytes * done) / images, bytesTotal: bytes });
        await wait(150);
        if (cancelled) return bad('cancelled', 'Preparation was cancelled.', 'Press Prepare training data to go on.');
      }
      const at = (name: string) => `${form.destination}/${name}`;
      return good({ imagesFolder: form.imagesFolder, train_data_dir: at('img'), reg_data_dir: form.regularizationFolder === '' ? '' : at('reg'), output_dir: at('model'), logging_dir: at('log'), copied: images, kept: 0 });
    },
    'datasets:cancelPreparation': async () => {
      cancelled = true;
      return good(null);
    },
    'captions:write': async ({ imageId, text }) => {
      await wait(200);
      if (text.includes('FAIL')) return bad('no_permission', 'The caption file cannot be written: no permission.', 'Check the rights of the folder.');
      captions.set(imageId, text);
      return good({ caption: text });
    },
    'plan:make': async () => {
      await wait(150);
      return good(scenario.plan);
    },
    'model:identify': async () => good({ kind: scenario.modelProblem ? 'sd1' : 'sdxl', format: 'single_file', problem: scenario.modelProblem }),
    'lora:inspect': async ({ path }) => good({
      path, bytes: 5_812_344, tensors: 2166, dtypes: ['F16'],
      modules: Array.from({ length: 722 }, (_, index) => ({ name: `lora_unet_${index}`, rank: 64, alpha: 32, upMax: 0.01, nonFinite: [] })),
      parts: { unet: 722, textEncoder1: 0, textEncoder2: 0, other: 0 },
      ranks: [64], alphas: [32], nonFiniteTensors: [], emptyModules: [], metadata: {},
    }),
    'environment:probe': async () => good({ versions: { python: '3.11', torch: '2.13', diffusers: '0.42', transformers: '5.23' }, devices: [{ kind: 'cpu', name: 'CPU', memoryBytes: 32e9 }] }),
    'environment:status': async () => good(scenario.worker === null ? { kind: 'ready' } : { kind: 'failed', problem: scenario.worker }),
    'jobs:start': async ({ kind }) => {
      const job: JobView = {
        id: `new-${kind}`, kind, name: kind === 'train' ? 'rihanna_v1' : 'caption', folder: '/home/ana/rihanna/log/20261123-2131-rihanna_v1',
        createdAt: new Date().toISOString(), status: { kind: 'starting' }, phase: null, hello: null, plan: null, lastStep: null, points: [],
        checkpoints: [], lastCaption: null, captionFailures: [], warnings: [], outputs: [], lastEventTime: 0, lastSeq: 0,
      };
      jobs.set(job.id, job);
      emit('jobs:changed', summary(job));
      void play(job, scenario.scripts[kind]);
      return good(job);
    },
    'jobs:stop': async ({ jobId }) => {
      const job = jobs.get(jobId);
      if (job === undefined) return bad('no_job', 'That job is gone.', 'Look at the list of runs.');
      jobs.set(jobId, { ...job, status: { kind: 'stopping' } });
      emit('jobs:changed', summary({ ...job, status: { kind: 'stopping' } }));
      return good(null);
    },
    'jobs:list': async () => good([...jobs.values()].map(summary)),
    'jobs:get': async ({ jobId }) => {
      const job = jobs.get(jobId);
      return job === undefined ? bad('no_job', 'That job is gone.', 'Look at the list of runs.') : good(job);
    },
    'jobs:console': async ({ offset }) => good({ text: scenario.console.slice(offset), nextOffset: scenario.console.length }),
    'jobs:reveal': async () => good(null),
  };

  const on = new Proxy({} as Api['on'], {
    get: (_, broadcast: Broadcast) => (listener: Listener) => {
      const all = listeners.get(broadcast) ?? new Set();
      listeners.set(broadcast, all.add(listener));
      return () => all.delete(listener);
    },
  });

  const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src');
  const address = (value: string) => {
    const id = /^media:\/\/thumbnail\/(.*)$/u.exec(value)?.[1];
    return id === undefined ? value : scenario.thumbnails.replace('%', id);
  };
  Object.defineProperty(HTMLImageElement.prototype, 'src', {
    ...source,
    set(value: string) {
      source?.set?.call(this, address(value));
    },
  });
  const setAttribute = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name: string, value: string) {
    setAttribute.call(this, name, typeof value === 'string' ? address(value) : value);
  };
  Object.assign(window, { api: { invoke, on, pathOf: () => '/home/ana/Pictures/rihanna' } });
}
