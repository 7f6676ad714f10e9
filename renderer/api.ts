import type { Broadcast, BroadcastPayload, Channel, Request, Response } from '../shared/contract';
import { toProblem, type Problem, type Result } from '../shared/result';

/** The typed client of `window.api`: the only door of the renderer to the machine. */

/** A failure that main answered with. */
class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.name = 'ApiProblem';
    this.problem = problem;
  }
}

type RequestArguments<C extends Channel> =
  undefined extends Request<C> ? [] : [request: Request<C>];

/** The value of main's answer. Throws an `ApiProblem` when it is a failure. */
export async function call<C extends Channel>(
  channel: C,
  ...[request]: RequestArguments<C>
): Promise<Response<C>> {
  const invoke = window.api.invoke[channel] as (
    request: Request<C> | undefined,
  ) => Promise<Result<Response<C>>>;
  const result = await invoke(request);
  if (!result.ok) throw new ApiProblem(result.error);
  return result.value;
}

/** Returns the function that ends the subscription. */
export function on<B extends Broadcast>(
  broadcast: B,
  listener: (payload: BroadcastPayload<B>) => void,
): () => void {
  const subscribe = window.api.on[broadcast] as (
    listener: (payload: BroadcastPayload<B>) => void,
  ) => () => void;
  return subscribe(listener);
}

export const problemOf = (thrown: unknown): Problem =>
  thrown instanceof ApiProblem ? thrown.problem : toProblem(thrown);

export const sampleUrl = (jobId: string, seq: number, size: 'small' | 'whole'): string =>
  `media://${size === 'small' ? 'small-sample' : 'sample'}/${encodeURIComponent(jobId)}/${seq}`;

export const thumbnailUrl = (imageId: string): string =>
  `media://thumbnail/${encodeURIComponent(imageId)}`;

/** A whole picture: as it is trained on, or turned but not cropped. */
export const largeUrl = (imageId: string, kind: 'edited' | 'uncropped'): string =>
  `media://${kind}/${encodeURIComponent(imageId)}`;
