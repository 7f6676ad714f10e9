import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobView } from '../../../shared/job-view';
import { captionConfig, makeService, problemCode, trainIn, until } from '../../fakes/job-service';
import { tempFolder } from '../../fakes/temp-folder';

const stepsOf = ({ points }: JobView): readonly number[] => points.map(({ step }) => step);
const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, at) => at + 1);

test('a paused training goes on in its folder, and its curve has neither a gap nor a doubled step', async () => {
  const folder = await tempFolder();
  const { service, changes } = makeService('resumable', folder);
  const { id, folder: jobFolder } = await service.start(trainIn(join(folder, 'log')));
  await until(service, id, ({ points }) => points.length > 12);
  await service.control(id, 'pause');
  const paused = await service.settled(id);
  expect(paused.status.kind).toBe('paused');
  expect(paused.state?.step).toBe(paused.points.length);

  const { status, folder: same } = await service.resume(id);
  expect([status.kind, same]).toEqual(['starting', jobFolder]);
  await until(service, id, ({ points }) => points.length > paused.points.length + 5);
  expect(service.get(id).resumed?.changes).toEqual(['A picture is new.']);
  await service.stop(id, false);
  const stopped = await service.settled(id);
  expect(stopped.status.kind).toBe('stopped');
  expect(stepsOf(stopped)).toEqual(upTo(stopped.points.length));
  expect(changes.map((change) => change.status.kind)).toEqual([
    ...['starting', 'running', 'pausing', 'paused'],
    ...['starting', 'running', 'stopping', 'stopped'],
  ]);
});

test('a killed training goes on from its newest state', async () => {
  const folder = await tempFolder();
  const { service } = makeService('resumable', folder);
  const { id, folder: jobFolder } = await service.start(trainIn(join(folder, 'log')));
  await writeFile(join(jobFolder, 'die'), '');
  const dead = await service.settled(id);
  expect(problemCode(dead)).toBe('vanished');
  expect(dead.state?.step).toBeLessThan(dead.points.length);
  await rm(join(jobFolder, 'die'));

  await service.resume(id);
  await until(service, id, ({ points }) => points.length > dead.points.length);
  await service.stop(id, false);
  const view = await service.settled(id);
  expect(view.resumed?.step).toBe(dead.state?.step);
  expect(stepsOf(view)).toEqual(upTo(view.points.length));
});

test('a pause of one run of the app is gone on with in the next, and seen there while it runs', async () => {
  const folder = await tempFolder();
  const first = makeService('resumable', folder).service;
  const { id } = await first.start(trainIn(join(folder, 'log')));
  await until(first, id, ({ points }) => points.length > 3);
  await first.control(id, 'pause');
  await first.settled(id);

  const second = makeService('resumable', folder).service;
  await second.attachAll();
  expect(second.get(id).status.kind).toBe('paused');
  await second.resume(id);
  await until(second, id, ({ resumed, status }) => resumed !== null && status.kind === 'running');
  second.dispose();

  const third = makeService('resumable', folder).service;
  await third.attachAll();
  expect(third.running().map((job) => job.id)).toEqual([id]);
  await third.stop(id, false);
  expect((await third.settled(id)).status.kind).toBe('stopped');
});

test('what is asked for is done, once', async () => {
  const folder = await tempFolder();
  const { service } = makeService('resumable', folder);
  const request = trainIn(join(folder, 'log'));
  const { id, folder: jobFolder } = await service.start({
    ...request,
    config: { ...request.config, sample_prompts: 'a cat' },
  });
  await until(service, id, ({ points }) => points.length > 0);
  await service.control(id, 'save');
  await service.control(id, 'sample');
  await until(service, id, ({ samples, checkpoints }) => samples.length + checkpoints.length === 2);
  expect(service.get(id).status.kind).toBe('running');
  expect(await readdir(join(jobFolder, 'control'))).toEqual([]);
  await service.stop(id, false);
  await service.settled(id);
  await service.control(id, 'pause');
  expect(service.get(id).status.kind).toBe('stopped');
  expect(await readdir(join(jobFolder, 'control'))).toEqual(['stop']);
});

test('only a training that has ended early, and that alone runs, is gone on with', async () => {
  const folder = await tempFolder();
  const { service } = makeService('normal', folder);
  const caption = await service.start({ kind: 'caption', logging_dir: '', config: captionConfig });
  const { id } = await service.start(trainIn(join(folder, 'log')));
  await Promise.all([service.settled(id), service.settled(caption.id)]);
  const refused = { problem: { code: 'not_resumable' } };
  await expect(service.resume(id)).rejects.toMatchObject(refused);
  await expect(service.resume(caption.id)).rejects.toMatchObject(refused);
  await expect(service.configOf(caption.id)).rejects.toMatchObject(refused);
  expect(await service.configOf(id)).toEqual(trainIn(join(folder, 'log')).config);

  const { service: other } = makeService('other_version', folder);
  const foreign = await other.start(trainIn(join(folder, 'log')));
  await other.settled(foreign.id);
  await expect(other.resume(foreign.id)).rejects.toMatchObject(refused);

  const { service: next } = makeService('hang', folder);
  const running = await next.start(trainIn(join(folder, 'log')));
  await next.open(foreign.folder);
  const under = { problem: { code: 'job_running' } };
  await expect(next.resume(foreign.id)).rejects.toMatchObject(under);
  await expect(next.resume(running.id)).rejects.toMatchObject(under);
  await next.stop(running.id, true);
});

test('a process that lingers after its end is not joined by a second one', async () => {
  const folder = await tempFolder();
  const { service } = makeService('lingering', folder, 200);
  const { id } = await service.start(trainIn(join(folder, 'log')));
  await until(service, id, ({ status }) => status.kind === 'paused');
  await expect(service.resume(id)).rejects.toMatchObject({
    problem: { code: 'job_running', message: expect.stringContaining('still there') },
  });
  const proc: unknown = JSON.parse(
    await readFile(join(service.get(id).folder, 'proc.json'), 'utf8'),
  );
  process.kill((proc as { pid: number }).pid, 'SIGKILL');
  expect((await service.settled(id)).status.kind).toBe('paused');
});

test('a resumed process that says nothing is not taken for paused', async () => {
  const folder = await tempFolder();
  const { service: first } = makeService('resumable', folder);
  const { id, folder: jobFolder } = await first.start(trainIn(join(folder, 'log')));
  await until(first, id, ({ points }) => points.length > 0);
  await first.control(id, 'pause');
  await first.settled(id);
  const { service } = makeService('silent_exit', folder);
  await service.open(jobFolder);
  await service.resume(id);
  expect(problemCode(await service.settled(id))).toBe('vanished');
});

test('quitting may pause the training, and stops the captioning with it', async () => {
  const folder = await tempFolder();
  const { service } = makeService('until_stopped', folder);
  const caption = await service.start({ kind: 'caption', logging_dir: '', config: captionConfig });
  const training = await service.start(trainIn(join(folder, 'log')));
  await service.endAll('pause');
  expect(service.get(training.id).status.kind).toBe('pausing');
  expect(await readdir(join(training.folder, 'control'))).toEqual(['pause']);
  expect((await service.settled(caption.id)).status.kind).toBe('stopped');
  await service.endAll('stop');
  expect((await service.settled(training.id)).status.kind).toBe('stopped');
});
