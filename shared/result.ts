import { z } from 'zod';

/**
 * What every failure carries to a person: a stable code for programs and tests, one sentence that names the file or the
 * field, and what to do next.
 */
export const problemSchema = z
  .strictObject({
    code: z.string().min(1),
    message: z.string().min(1),
    hint: z.string().optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Problem };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const err = <T = never>(code: string, message: string, hint?: string): Result<T> => ({
  ok: false,
  error: hint === undefined ? { code, message } : { code, message, hint },
});

/** Thrown by services for a failure that a person should read; the IPC wrapper and the CLI turn it into a Problem. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.name = 'ProblemError';
    this.problem = hint === undefined ? { code, message } : { code, message, hint };
  }
}

/** The Problem of anything thrown. What is not ours keeps its message under the code `unexpected`. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: 'unexpected',
    message: message === '' ? 'Something failed without saying why.' : message,
    hint: 'The log file has the details (Help, Open log folder).',
  };
}
