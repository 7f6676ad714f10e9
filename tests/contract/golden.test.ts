import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { parseEventLine } from '../../electron/services/job-events';
import { jobEventSchema, jobSchema, jobStateSchema, type EventType } from '../../shared/protocol';
import {
  workerAnswers,
  workerHelloSchema,
  workerReplySchema,
  workerRequestSchema,
  type WorkerRequest,
} from '../../shared/worker-protocol';

/** Lines that both sides parse: the bridge's tests read the same files. */
const linesOf = (name: string): string[] =>
  readFileSync(join(import.meta.dirname, '../fixtures/protocol', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

const parse = (line: string): unknown => JSON.parse(line);

describe('events', () => {
  const events = linesOf('events.jsonl');
  test.each(events)('%s', (line) => {
    expect(parseEventLine(line)).toEqual({ kind: 'event', event: parse(line) });
  });

  test('every type of event has a golden line', () => {
    const types = jobEventSchema.options.map(({ shape }) => shape.type.value);
    const seen = events.map((line) => jobEventSchema.parse(parse(line)).type);
    expect([...new Set<EventType>(seen)].sort()).toEqual([...types].sort());
  });

  test.each([...linesOf('events-refused.jsonl'), ...linesOf('events-future.jsonl')])(
    'not taken: %s',
    (line) => {
      expect(parseEventLine(line).kind).not.toBe('event');
    },
  );
});

describe.each<[string, z.ZodType]>([
  ['jobs.jsonl', jobSchema],
  ['states.jsonl', jobStateSchema],
  ['requests.jsonl', workerRequestSchema],
])('%s', (name, schema) => {
  test.each(linesOf(name))('%s', (line) => {
    expect(schema.parse(parse(line))).toEqual(parse(line));
  });
});

test.each(linesOf('jobs-refused.jsonl'))('not a job: %s', (line) => {
  expect(jobSchema.safeParse(parse(line)).success).toBe(false);
});

test('every request has a golden line', () => {
  const types = linesOf('requests.jsonl').map(
    (line) => workerRequestSchema.parse(parse(line)).type,
  );
  expect([...new Set(types)].sort()).toEqual(Object.keys(workerAnswers).sort());
});

describe('replies', () => {
  const [hello = '', ...replies] = linesOf('replies.jsonl');
  test('a hello comes first', () => {
    expect(workerHelloSchema.parse(parse(hello))).toEqual(parse(hello));
  });
  test.each(replies)('%s', (line) => {
    expect(workerReplySchema.parse(parse(line))).toEqual(parse(line));
  });
});

test.each(linesOf('answers.jsonl'))('answer %s', (line) => {
  const { type, answer } = parse(line) as { type: WorkerRequest['type']; answer: unknown };
  expect(workerAnswers[type].parse(answer)).toEqual(answer);
});
