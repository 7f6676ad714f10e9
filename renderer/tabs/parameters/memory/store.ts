import { createQuestion } from '../../../question';

/** What a run with these parameters needs of a device's memory. */
export const runMemory = createQuestion('plan:memory', 400);
