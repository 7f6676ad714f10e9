import { createQuestion } from '../../question';

/** What the base model path turns out to be. Asked by whichever tab shows it. */
export const modelIdentity = createQuestion('model:identify', 500);

/** What a run with these parameters will do. Asked by whichever tab shows it. */
export const runPlan = createQuestion('plan:make', 400);

/** How fast earlier trainings were: what the time of the next one is told from. */
export const runSpeeds = createQuestion('plan:speeds', 0);
