import type { z } from 'zod';
import { contract, type Channel, type Request, type Response } from '../shared/contract';
import { err, ok, toProblem, type Result } from '../shared/result';
import type { Log } from './services/log';

/** One function a channel: a missing or an extra one does not compile. */
export type Handlers = {
  readonly [C in Channel]: (request: Request<C>) => Promise<Response<C>> | Response<C>;
};

/** Checks the request, calls the handler, checks its answer. Never rejects: failures are data. */
export async function answer(
  handlers: Handlers,
  channel: Channel,
  request: unknown,
  log: Log,
): Promise<Result<unknown>> {
  const schemas: { readonly request: z.ZodType; readonly response: z.ZodType } = contract[channel];
  const checked = schemas.request.safeParse(request);
  if (!checked.success) {
    log.error(`${channel}: bad request: ${checked.error.message}`);
    const [issue] = checked.error.issues;
    const field = issue?.path.join('.') ?? '';
    return err(
      'bad_request',
      `${field === '' ? channel : field}: ${issue?.message ?? 'not valid'}`,
    );
  }
  try {
    // The channel's own schema has just checked the request that its own handler takes.
    const handle = handlers[channel] as (request: unknown) => unknown;
    return ok(schemas.response.parse(await handle(checked.data)));
  } catch (error) {
    const problem = toProblem(error);
    log.error(
      `${channel}: ${problem.code}: ${problem.message}`,
      problem.code === 'unexpected' ? error : undefined,
    );
    return { ok: false, error: problem };
  }
}
