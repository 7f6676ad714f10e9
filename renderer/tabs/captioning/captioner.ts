import { usualCaptioners } from '../../../shared/settings';
import type { CaptionerIdentity } from '../../../shared/worker-protocol';
import { createQuestion } from '../../question';

export const captionerIdentity = createQuestion('captioner:identify', 400);

type Kind = NonNullable<CaptionerIdentity['kind']>;

export const captionerNames: Record<Kind, string> = {
  blip: 'BLIP',
  'blip-2': 'BLIP-2',
  git: 'GIT',
  wd14: 'WD14 tagger',
};

/** What the model of the form is; null while that is not known. */
export function useCaptionerKind(model: string): Kind | null {
  const told = captionerIdentity.useAnswer((answer) => answer.value?.kind ?? null);
  const usual = Object.entries(usualCaptioners).find(([name]) => name === model);
  return usual === undefined ? told : usual[1];
}
