import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { appendFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished, expect, test, vi } from 'vitest';
import { isRunning, processStartTime } from '../../../electron/lib/platform';
import { startProcess } from '../../../electron/services/job-process';
import { JobService } from '../../../electron/services/jobs';
import { createRecentLogs } from '../../../electron/services/recent-logs';
import type { JobView } from '../../../shared/job-view';
import { locateFakeBridge } from '../../fakes/fake-bridge';
import { captionConfig, makeService, problemCode, trainIn, until } from '../../fakes/job-service';
import { tempFolder } from '../../fakes/temp-folder';

async function runToEnd(scenario: string): Promise<{ view: JobView; log: readonly string[] }> {
  const folder = await tempFolder();
  const { service, log } = makeService(scenario, folder);
  const { id } = await service.start(trainIn(join(folder, 'log')));
  return { view: await service.settled(id), log: log.lines };
}

test('a job runs to its end and tells every event and status in order', async () => {
  const folder = await tempFolder();
  const { service, events, changes, eventsBefore } = makeService('normal', folder);
  const started = await service.start(trainIn(join(folder, 'log')));
  const view = await service.settled(started.id);
  expect(view.status).toEqual({ kind: 'completed' });
  expect(view.points.map((point) => point.step)).toEqual([1, 2, 3, 4]);
  expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(changes.map((change) => change.status.kind)).toEqual(['starting', 'running', 'completed']);
  expect(eventsBefore.at(-1)).toBe(6);
  expect((await readdir(view.folder)).sort()).toEqual(
    ['console.log', 'control', 'events.jsonl', 'fake.safetensors', 'job.json', 'proc.json'].sort(),
  );
  expect((await service.console(view.id, 0)).text).toContain('fake bridge: normal, train');
  expect(view.folder).toMatch(/log[/\\]\d{8}-\d{6}-rihanna$/u);
});

test('a bridge that starts slowly is awaited', async () => {
  expect((await runToEnd('slow_start')).view.status.kind).toBe('completed');
});

test('garbage between the events is counted, logged and otherwise without effect', async () => {
  const { view, log } = await runToEnd('garbage');
  expect(view.status.kind).toBe('completed');
  expect(view.points).toHaveLength(4);
  expect(log.filter((line) => line.includes('event line ignored'))).toHaveLength(4);
  expect(log.some((line) => line.includes('too long'))).toBe(true);
});

test('a bare NaN is a bad line, a null loss a point', async () => {
  const { view } = await runToEnd('nan');
  expect(view.points[0]).toMatchObject({ step: 1, loss: null, averageLoss: null });
});

test('a crash becomes a failure with the last lines of the console', async () => {
  const { view } = await runToEnd('crash');
  expect(view.status).toMatchObject({
    kind: 'failed',
    problem: {
      code: 'vanished',
      message: expect.stringContaining('exit code 7'),
      hint: expect.stringContaining('MemoryError: nothing left'),
    },
  });
});

test('exit code 0 without an ending is a failure', async () => {
  expect(problemCode((await runToEnd('silent_exit')).view)).toBe('vanished');
});

test('a torn last line is no event, and a SIGKILL is named', async () => {
  const { view } = await runToEnd('torn');
  expect(view.lastSeq).toBe(2);
  expect(view.status).toMatchObject({ problem: { message: expect.stringContaining('SIGKILL') } });
});

test('another version of the protocol is refused', async () => {
  expect(problemCode((await runToEnd('other_version')).view)).toBe('protocol_version');
});

test('a gentle stop lets the job write its own ending', async () => {
  const folder = await tempFolder();
  const { service } = makeService('until_stopped', folder);
  const { id } = await service.start(trainIn(join(folder, 'log')));
  await until(service, id, ({ points }) => points.length > 0);
  await service.stop(id, false);
  expect(service.get(id).status.kind).toBe('stopping');
  expect((await service.settled(id)).status.kind).toBe('stopped');
});

test.each(['hang', 'deaf', 'orphan'])(
  'force ends the whole process group: %s',
  async (scenario) => {
    const folder = await tempFolder();
    const { service } = makeService(scenario, folder);
    const { id } = await service.start(trainIn(join(folder, 'log')));
    await until(service, id, ({ points }) => points.length > 0);
    await service.stop(id, true);
    const view = service.get(id);
    expect(view.status.kind).toBe('stopped');
    if (scenario !== 'orphan') return;
    const orphan = Number(await readFile(join(view.folder, 'orphan.pid'), 'utf8'));
    await vi.waitFor(async () => expect(await processStartTime(orphan)).toBeNull());
  },
);

test('one job of a kind at a time', async () => {
  const folder = await tempFolder();
  const { service } = makeService('hang', folder);
  const request = trainIn(join(folder, 'log'));
  const [first, second] = await Promise.allSettled([
    service.start(request),
    service.start(request),
  ]);
  expect(second).toMatchObject({ reason: { problem: { code: 'job_running' } } });
  if (first.status !== 'fulfilled') throw first.reason;
  await expect(service.start(request)).rejects.toMatchObject({ problem: { code: 'job_running' } });
  await service.stop(first.value.id, true);
});

test('the next run of the app takes up what still runs and lists what has ended', async () => {
  const folder = await tempFolder();
  const first = makeService('normal', folder).service;
  const ended = await first.start(trainIn(join(folder, 'log')));
  await first.settled(ended.id);
  const before = makeService('until_stopped', folder).service;
  const running = await before.start(trainIn(join(folder, 'log')));
  await until(before, running.id, ({ points }) => points.length > 2);
  before.dispose();

  const { service } = makeService('normal', folder);
  const attached = service.attachAll();
  await expect(service.start(trainIn(join(folder, 'log')))).rejects.toThrow('under way');
  expect((await service.listAll()).map(({ id }) => id)).toEqual([running.id, ended.id]);
  await attached;
  expect(service.get(ended.id)).toMatchObject({ status: { kind: 'completed' }, lastSeq: 6 });
  await until(service, running.id, ({ points }) => points.length > 3);
  await service.stop(running.id, false);
  expect((await service.settled(running.id)).status.kind).toBe('stopped');
});

test('a pid that belongs to another process by now is not believed', async () => {
  const folder = await tempFolder();
  const first = makeService('hang', folder).service;
  const { id, folder: jobFolder } = await first.start(trainIn(join(folder, 'log')));
  await until(first, id, ({ points }) => points.length > 0);
  await first.stop(id, true);
  await rm(join(jobFolder, 'control', 'force'));
  const proc: unknown = JSON.parse(await readFile(join(jobFolder, 'proc.json'), 'utf8'));
  const mine = { ...(proc as object), pid: process.pid, startTime: '1' };
  await writeFile(join(jobFolder, 'proc.json'), JSON.stringify(mine));

  const { service } = makeService('normal', folder);
  await service.attachAll();
  expect(problemCode(service.get(id))).toBe('vanished');
  await service.stop(id, true);
  expect(
    await isRunning({ pid: process.pid, startTime: (await processStartTime(process.pid)) ?? '' }),
  ).toBe(true);
});

test('a broken Python environment says so and leaves no job behind', async () => {
  const folder = await tempFolder();
  const { log } = makeService('normal', folder);
  const locations = { ...locateFakeBridge('normal'), bridgeCommand: [join(folder, 'no-python')] };
  const service = new JobService({
    locations,
    appVersion: '0.0.0',
    recentLogs: createRecentLogs(join(folder, 'recent.json'), log),
    log,
    listener: { onChanged: () => undefined, onEvents: () => undefined },
  });
  await expect(service.start(trainIn(join(folder, 'log')))).rejects.toMatchObject({
    problem: { code: 'python_missing', message: expect.stringContaining('no-python') },
  });
  expect(await readdir(join(folder, 'log'))).toEqual([]);
});

test('captioning needs no logging directory: the app has a place of its own', async () => {
  const folder = await tempFolder();
  const { service } = makeService('normal', folder);
  const view = await service.start({ kind: 'caption', logging_dir: '', config: captionConfig });
  await service.settled(view.id);
  expect(dirname(view.folder)).toBe(join(folder, 'own'));
  await expect(service.start(trainIn(''))).rejects.toMatchObject({
    problem: { code: 'logging_dir_missing' },
  });
  const { service: next } = makeService('normal', folder);
  await next.attachAll();
  expect(next.list().map(({ id }) => id)).toEqual([view.id]);
});

test('a folder that cannot be read hides no other job', async () => {
  const folder = await tempFolder();
  const first = makeService('normal', folder).service;
  const { id } = await first.start(trainIn(join(folder, 'log')));
  await first.settled(id);
  await mkdir(join(folder, 'log', '00000000-odd', 'job.json'), { recursive: true });
  const { service, log } = makeService('normal', folder);
  await service.attachAll();
  expect(service.list().map((job) => job.id)).toEqual([id]);
  expect(log.lines.join()).toContain('00000000-odd');
});

test('a process whose identity cannot be written does not run on', async () => {
  const folder = await tempFolder();
  await mkdir(join(folder, 'proc.json', 'in-the-way'), { recursive: true });
  const started: ChildProcess[] = [];
  const note = (message: unknown) => started.push((message as { process: ChildProcess }).process);
  subscribe('child_process', note);
  onTestFinished(() => void unsubscribe('child_process', note));
  const locations = {
    ...locateFakeBridge('normal'),
    bridgeCommand: [process.execPath, '-e', 'setInterval(() => 0, 1000)'],
  };
  await expect(startProcess(locations, folder, '0.0.0')).rejects.toThrow();
  const job = started.find(({ spawnargs }) => spawnargs.includes('-e'));
  await vi.waitFor(() => expect(job?.signalCode).toBe('SIGINT'));
});

test('only paths of a job can be shown or inspected', async () => {
  const folder = await tempFolder();
  const { service } = makeService('normal', folder);
  const { id, folder: jobFolder } = await service.start(trainIn(join(folder, 'log')));
  await service.settled(id);
  expect(service.pathOf(id, null)).toBe(jobFolder);
  expect(service.pathOf(id, join(jobFolder, 'console.log'))).toBe(join(jobFolder, 'console.log'));
  expect(() => service.pathOf(id, join(jobFolder, '..', 'other'))).toThrow(
    'was not made by this job',
  );
  expect(() => service.pathOf(id, `${jobFolder}-2`)).toThrow('was not made by this job');
});

test('the console comes in pieces that cut no character in two', async () => {
  const folder = await tempFolder();
  const { service } = makeService('normal', folder);
  const { id, folder: jobFolder } = await service.start(trainIn(join(folder, 'log')));
  await service.settled(id);
  const start = (await service.console(id, 0)).nextOffset;
  const bytes = Buffer.from('é€😀');
  for (const [index] of bytes.entries())
    await appendFile(join(jobFolder, 'console.log'), bytes.subarray(index, index + 1));
  expect(await service.console(id, start)).toEqual({ text: 'é€😀', nextOffset: start + 9 });
  await appendFile(join(jobFolder, 'console.log'), bytes.subarray(0, 1));
  expect(await service.console(id, start + 9)).toEqual({ text: '', nextOffset: start + 9 });
});
