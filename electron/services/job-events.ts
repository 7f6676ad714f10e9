import {
  jobEventSchema,
  PROTOCOL_VERSION,
  type JobEvent,
  type PlannedFiles,
} from '../../shared/protocol';
import type { Problem } from '../../shared/result';

export type ParsedLine =
  | { readonly kind: 'event'; readonly event: JobEvent }
  /** Written by a bridge that speaks another protocol. */
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'bad'; readonly reason: string };

/** Reads one line of `events.jsonl`. Never throws. */
export function parseEventLine(line: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'bad', reason: 'not JSON' };
  }
  const version = versionOf(value);
  if (version !== null && version !== PROTOCOL_VERSION)
    return { kind: 'refused', problem: otherVersion(version) };
  const parsed = jobEventSchema.safeParse(completed(value));
  if (parsed.success) return { kind: 'event', event: parsed.data };
  const issue = parsed.error.issues[0];
  return {
    kind: 'bad',
    reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an event'}`,
  };
}

/** Events of runs of earlier versions lack what was not told then. */
function completed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('plan' in value && typeof value.plan === 'object' && value.plan !== null)
    return { ...value, plan: completedPlan(value.plan) };
  if ('type' in value && value.type === 'step') return completedStep(value);
  if ('type' in value && value.type === 'caption') return { candidates: [], ...value };
  return value;
}

const completedPlan = (plan: object): object => ({
  validationImages: 0,
  stepsWithoutRegularization: 'stepsPerEpoch' in plan ? plan.stepsPerEpoch : 0,
  enlargedImages: 0,
  uncaptionedImages: 0,
  files: noFiles,
  ...plan,
  ...('buckets' in plan && Array.isArray(plan.buckets)
    ? { buckets: plan.buckets.map(completedBucket) }
    : {}),
});

const noFiles: PlannedFiles = {
  checkpoints: 0,
  checkpointsKept: 0,
  checkpointBytes: null,
  states: 0,
  stateBytes: null,
  samples: 0,
  samplesBytes: 0,
  disks: [],
};

const completedBucket = (bucket: unknown): unknown =>
  typeof bucket === 'object' && bucket !== null
    ? { images: 0, batches: 0, short: false, enlarged: 0, ...bucket }
    : bucket;

const completedStep = (step: object): object => ({
  averageLoss: null,
  ...('learningRate' in step ? { rates: [{ name: 'unet', value: step.learningRate }] } : {}),
  keyNorms: null,
  imagesPerSecond: 0,
  ...step,
});

function versionOf(value: unknown): number | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('protocolVersion' in value && typeof value.protocolVersion === 'number')
    return value.protocolVersion;
  return 'v' in value && typeof value.v === 'number' ? value.v : null;
}

const otherVersion = (version: number): Problem => ({
  code: 'protocol_version',
  message: `The job speaks protocol version ${String(version)}; this app speaks ${String(PROTOCOL_VERSION)}.`,
  hint: 'Run the set-up again, so that the app and its bridge are of the same version.',
});
