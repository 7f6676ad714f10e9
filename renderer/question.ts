import { create } from 'zustand';
import type { Channel, Request, Response } from '../shared/contract';
import type { Problem } from '../shared/result';
import { call, problemOf } from './api';

/** What is known of a question to main. The last answer stays while a newer one is on its way. */
export interface Answer<T> {
  readonly value: T | null;
  readonly problem: Problem | null;
  readonly pending: boolean;
}

/**
 * A question that is asked again and again while a form is filled in: it waits until the form has been quiet for
 * `quietMs`, and drops answers to older questions.
 */
export function createQuestion<C extends Channel>(channel: C, quietMs: number) {
  const unasked: Answer<Response<C>> = { value: null, problem: null, pending: false };
  const useAnswer = create<Answer<Response<C>>>(() => unasked);
  let timer: number | undefined;
  let latest = 0;

  async function send(request: Request<C>, turn: number): Promise<void> {
    let answer: Answer<Response<C>>;
    try {
      const value = await (call as (c: C, r: Request<C>) => Promise<Response<C>>)(channel, request);
      answer = { value, problem: null, pending: false };
    } catch (thrown) {
      answer = { value: null, problem: problemOf(thrown), pending: false };
    }
    if (turn === latest) useAnswer.setState(answer, true);
  }

  /** `null` forgets the answer. */
  function ask(request: Request<C> | null): void {
    window.clearTimeout(timer);
    latest += 1;
    const turn = latest;
    if (request === null) {
      useAnswer.setState(unasked, true);
      return;
    }
    useAnswer.setState({ pending: true });
    timer = window.setTimeout(() => void send(request, turn), quietMs);
  }

  /** Changes the answer that is there, as main has told since. */
  function amend(change: (value: Response<C>) => Response<C>): void {
    const { value } = useAnswer.getState();
    if (value === null) return;
    const changed = change(value);
    if (changed !== value) useAnswer.setState({ value: changed });
  }

  return { useAnswer, ask, amend };
}
