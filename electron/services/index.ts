import { join } from 'node:path';
import type { Broadcast, BroadcastPayload } from '../../shared/contract';
import { emptyProject, settingsVersion } from '../../shared/settings';
import type { Locations } from '../lib/locations';
import { DatasetFolders } from './dataset-folders';
import { Datasets } from './datasets';
import { FolderHistory } from './folder-history';
import { JobService } from './jobs';
import { LargeViews } from './large-views';
import type { Log } from './log';
import { Preparation } from './preparation';
import { Presets } from './presets';
import { createRecentLogs } from './recent-logs';
import { Samples } from './samples';
import { configOfDraft, readSampleProject } from './sample-project';
import { SettingsService } from './settings';
import { Thumbnails } from './thumbnails';
import { Worker } from './worker';

export interface Services {
  readonly settings: SettingsService;
  readonly presets: Presets;
  readonly thumbnails: Thumbnails;
  readonly datasets: Datasets;
  readonly largeViews: LargeViews;
  readonly preparation: Preparation;
  readonly datasetFolders: DatasetFolders;
  readonly worker: Worker;
  readonly pictureWorker: Worker;
  readonly jobs: JobService;
  readonly samples: Samples;
}

export interface ServicesOptions {
  readonly locations: Locations;
  readonly userData: string;
  readonly appVersion: string;
  readonly log: Log;
  readonly broadcast: <B extends Broadcast>(name: B, payload: BroadcastPayload<B>) => void;
}

/** Makes the services of a window and joins them to each other. They know callbacks, not IPC. */
export async function createServices(options: ServicesOptions): Promise<Services> {
  const { locations, userData, appVersion, log, broadcast } = options;
  const settings = await SettingsService.open({
    path: join(userData, 'settings.json'),
    initial: async () => ({
      schemaVersion: settingsVersion,
      theme: 'system',
      lastTab: 'dataset',
      project:
        (await readSampleProject(locations.sample, join(userData, 'sample-project')).catch(
          (error: unknown) => {
            log.error('The sample project could not be read', error);
            return null;
          },
        )) ?? emptyProject,
    }),
    log,
  });
  const worker = new Worker({
    locations,
    log,
    onStatus: (status) => broadcast('environment:changed', status),
  });
  // A worker of their own, so that a folder of a thousand pictures keeps no other question waiting.
  const pictureWorker = new Worker({ locations, log, onStatus: () => undefined });
  const thumbnails = new Thumbnails(join(userData, 'thumbnails'), (path, thumbnail) =>
    pictureWorker.ask('picture', { path, thumbnail }),
  );
  const datasets = new Datasets(thumbnails, (pictures) =>
    broadcast('datasets:read', [...pictures]),
  );
  const history = new FolderHistory(join(userData, 'preparations'), log);
  const preparation = new Preparation({
    thumbnails,
    history,
    makePlan: (config, concepts) => worker.ask('plan', { config, concepts }),
    trainConfig: () => configOfDraft(settings.get().project.training),
    onProgress: (progress) => broadcast('datasets:preparationProgress', progress),
  });
  const jobs = new JobService({
    locations,
    appVersion,
    ownLogs: join(userData, 'jobs'),
    recentLogs: createRecentLogs(join(userData, 'recent-logs.json'), log),
    log,
    listener: {
      onChanged: (summary) => broadcast('jobs:changed', summary),
      onEvents: (jobId, events) => broadcast('jobs:events', { jobId, events: [...events] }),
    },
  });
  return {
    settings,
    presets: new Presets(join(userData, 'presets'), log),
    thumbnails,
    datasets,
    largeViews: new LargeViews(
      join(userData, 'large-views'),
      (path, target, side, cropped) => pictureWorker.ask('show', { path, target, side, cropped }),
      (id) => datasets.pathOf(id),
    ),
    preparation,
    datasetFolders: new DatasetFolders(history, preparation),
    worker,
    pictureWorker,
    jobs,
    samples: new Samples((jobId, seq) => jobs.sampleFile(jobId, seq), thumbnails),
  };
}
