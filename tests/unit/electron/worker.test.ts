import { expect, onTestFinished, test } from 'vitest';
import { Worker } from '../../../electron/services/worker';
import { defaultTrainConfig } from '../../../shared/parameters';
import { locateFakeBridge } from '../../fakes/fake-bridge';
import { recordingLog } from '../../fakes/recording-log';

function makeWorker(scenario: string, timeoutMs = 5000) {
  const statuses: string[] = [];
  const log = recordingLog();
  const worker = new Worker({
    locations: locateFakeBridge(scenario),
    log,
    onStatus: ({ kind }) => statuses.push(kind),
    timeoutMs,
  });
  onTestFinished(() => worker.dispose());
  return { worker, statuses, log };
}

const question = { config: defaultTrainConfig, concepts: null };

test.each(['normal', 'slow_start', 'garbage'])('answers questions: %s', async (scenario) => {
  const { worker, statuses } = makeWorker(scenario);
  const [plan, probe] = await Promise.all([worker.ask('plan', question), worker.ask('probe', {})]);
  expect(plan.totalSteps).toBe(4);
  expect(probe.devices[0]?.name).toBe('Fake');
  expect(statuses).toEqual(['starting', 'ready']);
});

test('an error of the bridge keeps its code and hint', async () => {
  const { worker } = makeWorker('normal');
  await expect(worker.ask('inspect', { path: '/x' })).rejects.toMatchObject({
    problem: { code: 'not_found', message: 'There is no /x.', hint: 'Look.' },
  });
});

test('a crash fails the question and the next one starts a new worker; then it is left alone', async () => {
  const { worker, statuses } = makeWorker('crash');
  for (let attempt = 1; attempt <= 3; attempt += 1)
    await expect(worker.ask('probe', {})).rejects.toMatchObject({
      problem: { code: 'worker_crashed', message: expect.stringContaining('exit code 3') },
    });
  expect(statuses.filter((status) => status === 'failed')).toHaveLength(3);
  await expect(worker.ask('probe', {})).rejects.toThrow('exit code 3');
  expect(statuses.filter((status) => status === 'starting')).toHaveLength(3);
});

test('a question without an answer ends in time', async () => {
  const { worker } = makeWorker('hang', 200);
  await expect(worker.ask('probe', {})).rejects.toMatchObject({
    problem: { code: 'worker_timeout' },
  });
});

test('an answer of another shape than agreed is refused', async () => {
  const { worker } = makeWorker('wrong_answer');
  await expect(worker.ask('probe', {})).rejects.toMatchObject({
    problem: { code: 'worker_answer' },
  });
});

test('another version of the protocol is refused', async () => {
  const { worker } = makeWorker('other_version');
  await expect(worker.ask('probe', {})).rejects.toMatchObject({
    problem: { code: 'protocol_version' },
  });
  expect(worker.status.kind).toBe('failed');
});

test('a Python that is not there is named', async () => {
  const worker = new Worker({
    locations: { ...locateFakeBridge('normal'), bridgeCommand: ['/no/python'] },
    log: recordingLog(),
    onStatus: () => undefined,
  });
  // However often it is asked, the reason stays the reason.
  for (let attempt = 1; attempt <= 5; attempt += 1)
    await expect(worker.ask('probe', {})).rejects.toMatchObject({
      problem: { code: 'python_missing', message: expect.stringContaining('/no/python') },
    });
});
