import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Broadcast } from '../../../shared/contract';
import { newJobView, summaryOf, type JobView } from '../../../shared/job-view';
import type { JobEvent } from '../../../shared/protocol';
import { ok, type Result } from '../../../shared/result';

const job = newJobView(
  {
    id: 'job',
    kind: 'caption',
    name: 'caption',
    createdAt: '2026-01-01T00:00:00Z',
    samplePrompts: 0,
  },
  '/log/job',
);

const step = (seq: number): JobEvent => ({
  type: 'step',
  v: 1,
  seq,
  time: seq,
  step: seq,
  total: 100,
  epoch: 1,
  epochs: 1,
  loss: 0.1,
  averageLoss: 0.1,
  learningRate: 1e-4,
  rates: [{ name: 'unet', value: 1e-4 }],
  gradNorm: null,
  keyNorms: null,
  imagesPerSecond: 1,
  secondsPerStep: 1,
  etaSeconds: 1,
  memoryBytes: 0,
});

/** Main, as far as the jobs store can tell. */
function pretendMain(initial: JobView) {
  const listeners = new Map<Broadcast, (payload: unknown) => void>();
  let held = initial;
  const get = vi.fn(() => Promise.resolve(ok(held)));
  const control = vi.fn(() => Promise.resolve<Result<null>>(ok(null)));
  vi.stubGlobal('window', {
    api: {
      invoke: {
        'jobs:get': get,
        'jobs:list': () => Promise.resolve(ok([summaryOf(held)])),
        'jobs:control': control,
      },
      on: new Proxy(
        {},
        {
          get: (_, name: Broadcast) => (listener: (payload: unknown) => void) => {
            listeners.set(name, listener);
            return () => listeners.delete(name);
          },
        },
      ),
    },
  });
  return {
    get,
    control,
    hold: (view: JobView) => (held = view),
    send: (...events: JobEvent[]) => listeners.get('jobs:events')?.({ jobId: 'job', events }),
    change: (view: JobView) => listeners.get('jobs:changed')?.(summaryOf(view)),
  };
}

const running: JobView = { ...job, status: { kind: 'running' }, lastSeq: 3 };

async function connect(initial: JobView) {
  vi.resetModules();
  const main = pretendMain(initial);
  const jobs = await import('../../../renderer/app/jobs');
  await jobs.connectJobs();
  return { main, ...jobs, view: () => jobs.useJobs.getState().views.job };
}

describe('the jobs store', () => {
  beforeEach(() => vi.unstubAllGlobals());

  it('picks up a job that was running when the window opened', async () => {
    const { view, latestJob, useJobs } = await connect(running);
    expect(view()?.lastSeq).toBe(3);
    expect(latestJob(useJobs.getState(), 'caption')?.id).toBe('job');
  });

  it('does not take an old job for where the user stands', async () => {
    const { latestJob, useJobs } = await connect({ ...running, status: { kind: 'completed' } });
    expect(latestJob(useJobs.getState(), 'caption')).toBeNull();
  });

  it('applies events that follow on each other, once', async () => {
    const { main, view } = await connect(running);
    main.send(step(4), step(5));
    main.send(step(5), step(6));
    expect(view()?.points.map((point) => point.step)).toEqual([4, 5, 6]);
    expect(main.get).toHaveBeenCalledTimes(1);
  });

  it('asks for the whole job when events are missing', async () => {
    const { main, view } = await connect(running);
    const points = [8, 9].map((at) => ({
      step: at,
      loss: 1,
      averageLoss: null,
      learningRate: 1,
    }));
    main.hold({ ...running, lastSeq: 9, points });
    main.send(step(9));
    await vi.waitFor(() => expect(view()?.lastSeq).toBe(9));
    expect(view()?.points).toEqual(points);
  });

  it('learns the end of a job whose last events it never saw', async () => {
    const { main, view } = await connect(running);
    const ended: JobView = { ...running, status: { kind: 'stopped' }, lastSeq: 12 };
    main.hold(ended);
    main.change(ended);
    await vi.waitFor(() => expect(view()?.status.kind).toBe('stopped'));
  });

  it('takes a change of status that is no event, such as silence', async () => {
    const { main, view } = await connect(running);
    main.change({ ...running, status: { kind: 'silent', seconds: 12, unresponsive: false } });
    expect(view()?.status.kind).toBe('silent');
  });

  it('sees a job that had ended run again', async () => {
    const paused: JobView = { ...running, status: { kind: 'paused' } };
    const { main, view, followJob, runningJob, useJobs } = await connect(paused);
    await followJob('job');
    expect(view()?.status.kind).toBe('paused');
    main.change({ ...paused, status: { kind: 'starting' } });
    expect(view()?.status.kind).toBe('starting');
    expect(runningJob(useJobs.getState(), 'caption')?.id).toBe('job');
  });
});

describe('what a running job was asked for', () => {
  const told = { v: 1, time: 1 } as const;
  const phase = (seq: number, name: 'training' | 'sampling'): JobEvent => ({
    ...told,
    type: 'phase',
    seq,
    phase: name,
    done: 0,
    total: 1,
  });
  const checkpoint: JobEvent = {
    ...told,
    type: 'checkpoint',
    seq: 6,
    path: '/model/nova-step00000006.safetensors',
    bytes: 1,
    step: 6,
    epoch: 1,
    final: false,
  };

  beforeEach(() => vi.unstubAllGlobals());

  it('is remembered until it is done', async () => {
    const { main, wishFor, useJobs } = await connect(running);
    const wishes = () => useJobs.getState().wishes['job'];
    await Promise.all([wishFor('job', 'save'), wishFor('job', 'sample')]);
    main.send(step(4), phase(5, 'training'));
    expect(wishes()).toEqual(['save', 'sample']);
    main.send(checkpoint);
    expect(wishes()).toEqual(['sample']);
    main.send(phase(7, 'sampling'));
    expect(wishes()).toEqual([]);
  });

  it('is forgotten when it cannot be done, and when the job is over', async () => {
    const { main, wishFor, useJobs } = await connect(running);
    const wishes = () => useJobs.getState().wishes['job'];
    await wishFor('job', 'sample');
    main.send({ ...told, type: 'warning', seq: 4, problem: { code: 'x', message: 'No.' } });
    expect(wishes()).toEqual([]);
    await wishFor('job', 'save');
    main.change({ ...running, status: { kind: 'stopped' } });
    expect(wishes()).toEqual([]);
  });

  it('is forgotten when it could not be asked for', async () => {
    const { main, wishFor, useJobs } = await connect(running);
    main.control.mockResolvedValueOnce({ ok: false, error: { code: 'x', message: 'No.' } });
    await expect(wishFor('job', 'save')).rejects.toThrow();
    expect(useJobs.getState().wishes['job']).toEqual([]);
  });
});
