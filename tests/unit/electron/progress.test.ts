import { expect, test } from 'vitest';
import { ProgressPrinter } from '../../../electron/cli/progress';
import type { JobEvent } from '../../../shared/protocol';
import { sampleEvent } from '../../fakes/sample-event';

const phase = (
  name: Extract<JobEvent, { type: 'phase' }>['phase'],
  done: number,
  total: number,
): JobEvent => ({ type: 'phase', v: 1, seq: 1, time: 1, phase: name, done, total });

test('a terminal says that it is validated, and what came of it', () => {
  let printed = '';
  const out = { isTTY: false, write: (text: string) => (printed += text) };
  const printer = new ProgressPrinter(out as unknown as NodeJS.WriteStream);
  const validation = { type: 'validation', v: 1, seq: 1, time: 1, epoch: 1 } as const;
  printer.show([
    phase('training', 0, 100),
    phase('validating', 0, 4),
    phase('validating', 4, 4),
    { ...validation, step: 40, loss: 0.12344 },
    phase('training', 40, 100),
    { ...validation, step: 80, loss: null },
  ]);
  expect(printed.split('\n')).toEqual([
    'Training',
    'Validating',
    'Validation loss after step 40: 0.1234',
    'Training',
    'Validation loss after step 80: not a number',
    '',
  ]);
});

test('a terminal says that samples are drawn, and where each is', () => {
  let printed = '';
  const out = { isTTY: false, write: (text: string) => (printed += text) };
  const printer = new ProgressPrinter(out as unknown as NodeJS.WriteStream);
  printer.show([
    phase('training', 0, 100),
    phase('sampling', 0, 2),
    sampleEvent({ path: '/log/a.png' }),
    phase('sampling', 1, 2),
    sampleEvent({ index: 1, path: '/log/b.png' }),
    phase('sampling', 2, 2),
    phase('training', 40, 100),
  ]);
  expect(printed.split('\n')).toEqual([
    'Training',
    'Drawing samples',
    'Sample 1: /log/a.png',
    'Sample 2: /log/b.png',
    'Training',
    '',
  ]);
});

test('a terminal says from which step a run goes on, what changed, and where its states are', () => {
  let printed = '';
  const out = { isTTY: false, write: (text: string) => (printed += text) };
  const printer = new ProgressPrinter(out as unknown as NodeJS.WriteStream);
  const told = { v: 1, seq: 1, time: 1 } as const;
  printer.show([
    {
      ...told,
      type: 'resumed',
      path: '/log/resume/step00000040',
      step: 40,
      epoch: 2,
      changes: ['A picture is new.'],
    },
    { ...told, type: 'state', path: '/log/resume/step00000050', bytes: 9, step: 50, epoch: 2 },
    { ...told, type: 'checkpointRemoved', path: '/model/nova-000001.safetensors' },
    { ...told, type: 'finished', outcome: 'paused', outputs: [] },
  ]);
  expect(printed.split('\n')).toEqual([
    'Going on after step 40 (epoch 2), from /log/resume/step00000040',
    '  Changed since: A picture is new.',
    'Saved the state of step 50: /log/resume/step00000050',
    'Deleted /model/nova-000001.safetensors',
    '',
  ]);
});
