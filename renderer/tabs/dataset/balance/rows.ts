import type { Balance, PreparationPlan } from '../../../../shared/dataset-answers';
import type { DatasetForm } from '../../../../shared/dataset-form';
import { balancedRepeats } from '../../../../shared/kohya/balance';

/** One line of what balancing comes to. */
export interface BalanceLine {
  readonly key: string;
  readonly name: string;
  readonly images: number;
  readonly repeats: number | null;
  readonly newRepeats: number;
  /** Why it stays as it is. */
  readonly problem: string | null;
}

/** The concepts of the form, as far as their pictures are known. */
export function linesOfForm(
  { concepts }: DatasetForm,
  folders: PreparationPlan['folders'],
  nameOf: (index: number) => string,
  steps: number,
): BalanceLine[] {
  return concepts.map(({ repeats }, index) => {
    const planned = folders.find(
      (folder) => folder.role === 'img' && folder.concepts.includes(index),
    );
    const images = planned?.images ?? 0;
    return {
      key: String(index),
      name: nameOf(index),
      images,
      repeats,
      newRepeats: images === 0 ? (repeats ?? 1) : balancedRepeats(images, steps),
      problem: images === 0 ? 'Its images are not known yet.' : null,
    };
  });
}

export const linesOfFolder = ({ rows }: Balance): BalanceLine[] =>
  rows.map(({ name, images, repeats, newRepeats, problem }) => ({
    key: name,
    name,
    images,
    repeats,
    newRepeats,
    problem: images === 0 ? 'There are no images in it.' : problem,
  }));

/** Whether applying changes anything. */
export const changes = ({ repeats, newRepeats, problem }: BalanceLine): boolean =>
  problem === null && repeats !== newRepeats;
