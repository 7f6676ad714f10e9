import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Broadcast } from '../../../shared/contract';
import { newJobView, summaryOf, type JobView } from '../../../shared/job-view';
import type { JobEvent } from '../../../shared/protocol';
import { ok } from '../../../shared/result';

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
  vi.stubGlobal('window', {
    api: {
      invoke: { 'jobs:get': get, 'jobs:list': () => Promise.resolve(ok([summaryOf(held)])) },
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
});
