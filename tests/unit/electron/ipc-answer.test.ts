import { expect, test } from 'vitest';
import { answer, type Handlers } from '../../../electron/ipc-answer';
import { ProblemError } from '../../../shared/result';
import { recordingLog } from '../../fakes/recording-log';

/** Handlers of which a test gives the one that it calls. */
const only = (handlers: Partial<Handlers>) => handlers as Handlers;

test('a good request is answered with its value', async () => {
  const handlers = only({ 'datasets:folderOf': ({ path }) => ({ folder: `${path}!` }) });
  expect(await answer(handlers, 'datasets:folderOf', { path: '/x' }, recordingLog())).toEqual({
    ok: true,
    value: { folder: '/x!' },
  });
});

test.each([
  ['another type', { path: 1 }],
  ['nothing', undefined],
  ['an extra key', { path: '/x', more: 1 }],
])('a request with %s never reaches its handler', async (_name, request) => {
  let isCalled = false;
  const handlers = only({
    'datasets:folderOf': () => {
      isCalled = true;
      return { folder: '' };
    },
  });
  const log = recordingLog();
  expect(await answer(handlers, 'datasets:folderOf', request, log)).toMatchObject({
    ok: false,
    error: { code: 'bad_request' },
  });
  expect(isCalled).toBe(false);
  expect(log.lines[0]).toContain('datasets:folderOf');
});

test('a problem crosses as data', async () => {
  const handlers = only({
    'datasets:folderOf': () =>
      Promise.reject(new ProblemError('not_found', 'It is gone.', 'Look.')),
  });
  expect(await answer(handlers, 'datasets:folderOf', { path: '/x' }, recordingLog())).toEqual({
    ok: false,
    error: { code: 'not_found', message: 'It is gone.', hint: 'Look.' },
  });
});

test('what nobody expected is named so, without its stack', async () => {
  const handlers = only({
    'datasets:folderOf': () => {
      throw new TypeError('x is undefined');
    },
  });
  const result = await answer(handlers, 'datasets:folderOf', { path: '/x' }, recordingLog());
  expect(result).toMatchObject({
    ok: false,
    error: { code: 'unexpected', message: 'x is undefined' },
  });
  expect(JSON.stringify(result)).not.toContain('ipc-answer');
});

test('an answer of another shape than agreed does not cross', async () => {
  const wrong = { folder: 1 } as unknown as { folder: string };
  const handlers = only({ 'datasets:folderOf': () => wrong });
  expect(await answer(handlers, 'datasets:folderOf', { path: '/x' }, recordingLog())).toMatchObject(
    { ok: false },
  );
});
