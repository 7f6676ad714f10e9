import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { JobService } from '../../electron/services/jobs';
import { createRecentLogs } from '../../electron/services/recent-logs';
import type { JobSummary, JobView } from '../../shared/job-view';
import { defaultTrainConfig } from '../../shared/parameters';
import { captionConfigSchema, type JobEvent } from '../../shared/protocol';
import { emptyProject } from '../../shared/settings';
import { locateFakeBridge } from './fake-bridge';
import { recordingLog } from './recording-log';

export const trainIn = (loggingDir: string) =>
  ({
    kind: 'train',
    config: {
      ...defaultTrainConfig,
      pretrained_model_name_or_path: '/p/base.safetensors',
      train_data_dir: '/p/img',
      output_dir: '/p/model',
      logging_dir: loggingDir,
      output_name: 'rihanna',
    },
  }) as const;

export const captionConfig = captionConfigSchema.parse({
  ...emptyProject.captioning,
  image_dir: '/photos',
  images: null,
  candidates: 0,
});

/** A job service whose bridge plays one scenario of `bridge.py`, and what it tells. */
export function makeService(scenario: string, folder: string, patienceMs = 5000) {
  const log = recordingLog();
  const events: JobEvent[] = [];
  const changes: JobSummary[] = [];
  /** How many events had been told when each status was. */
  const eventsBefore: number[] = [];
  const service = new JobService({
    locations: locateFakeBridge(scenario),
    appVersion: '0.0.0',
    recentLogs: createRecentLogs(join(folder, 'recent.json'), log),
    log,
    ownLogs: join(folder, 'own'),
    listener: {
      onChanged: (summary) => {
        changes.push(summary);
        eventsBefore.push(events.length);
      },
      onEvents: (_id, batch) => events.push(...batch),
    },
    graceMs: 200,
    patienceMs,
  });
  onTestFinished(() => service.dispose());
  return { service, log, events, changes, eventsBefore };
}

export const until = (
  service: JobService,
  id: string,
  check: (view: JobView) => boolean,
): Promise<void> =>
  vi.waitFor(() => expect(check(service.get(id))).toBe(true), { timeout: 5000, interval: 10 });

/** Of a failure, else how it ended. */
export const problemCode = ({ status }: JobView): string =>
  status.kind === 'failed' ? status.problem.code : status.kind;
