import type { Plan } from '../../shared/protocol';

/** A plan of nothing, for a test that sets what it cares for. */
export const emptyPlan: Plan = {
  buckets: [],
  concepts: [],
  images: 0,
  regularizationImages: 0,
  validationImages: 0,
  batchesPerEpoch: 0,
  stepsPerEpoch: 0,
  stepsWithoutRegularization: 0,
  epochs: 0,
  totalSteps: 0,
  enlargedImages: 0,
  uncaptionedImages: 0,
  files: {
    checkpoints: 1,
    checkpointsKept: 1,
    checkpointBytes: null,
    states: 0,
    stateBytes: null,
    samples: 0,
    samplesBytes: 0,
    disks: [],
  },
  warnings: [],
};
