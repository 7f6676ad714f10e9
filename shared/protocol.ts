import { z } from 'zod';
import { parameters, trainConfigSchema } from './parameters';
import { problemSchema } from './result';

/**
 * What a job's folder says between the app and the Python bridge. `npm run generate` makes the Python types of
 * `lora_bridge/protocol_types.py` from this file and `worker-protocol.ts`; the tests fail when they drift.
 */

/** A reader refuses to attach to a job whose `hello` has another number. */
export const PROTOCOL_VERSION = 1;

/** Longest line of an event file or of the worker's streams, in bytes. Pictures go by path. */
export const MAX_LINE_BYTES = 1024 * 1024;

export const count = () => z.int().min(0);
const seconds = () => z.number().min(0);

// ---- job.json -------------------------------------------------------------------------------------------------------

export const captionConfigSchema = z
  .strictObject({
    model: z.string().min(1),
    image_dir: z.string().min(1),
    caption_extension: parameters.caption_extension.schema,
    prefix: z.string(),
    postfix: z.string(),
    batch_size: z.int().min(1).max(64),
    use_beam_search: z.boolean(),
    num_beams: z.int().min(1).max(16),
    top_p: z.number().min(0).max(1),
    max_length: z.int().min(1).max(400),
    min_length: z.int().min(0).max(400),
    /** `append` puts what is new of it after the caption that is there. */
    existing: z.enum(['overwrite', 'skip', 'append']),
    /** Names or paths of pictures in the folder; null for all of them. */
    images: z.array(z.string().min(1)).min(1).nullable(),
    /** So many different captions of each picture are told of and none is written; 0 writes one. */
    candidates: z.int().min(0).max(8),
    blip2_num_beams: z.int().min(1).max(16),
    blip2_min_new_tokens: z.int().min(0).max(300),
    blip2_max_new_tokens: z.int().min(1).max(300),
    blip2_length_penalty: z.number().min(-1).max(2),
    blip2_repetition_penalty: z.number().min(1).max(5),
    blip2_temperature: z.number().min(0.5).max(1),
    wd14_general_threshold: z.number().min(0).max(1),
    wd14_character_threshold: z.number().min(0).max(1),
    wd14_separator: z.string().min(1),
    wd14_remove_underscore: z.boolean(),
    /** Tags that are never written, with commas between them. */
    wd14_undesired_tags: z.string(),
    /** `tag,other;tag,other`; a comma or semicolon that belongs to a tag has a backslash before it. */
    wd14_tag_replacement: z.string(),
    wd14_rating_tags: z.enum(['none', 'first', 'last']),
    wd14_character_tags_first: z.boolean(),
    /** `name_(series)` becomes two tags. */
    wd14_character_tag_expand: z.boolean(),
  })
  .meta({ id: 'CaptionConfig' });
export type CaptionConfig = z.infer<typeof captionConfigSchema>;

const jobBase = {
  schemaVersion: z.literal(1),
  id: z.string().min(1),
  name: z.string().min(1),
  createdAt: z.string(),
  appVersion: z.string(),
};

const trainJobSchema = z
  .strictObject({ kind: z.literal('train'), ...jobBase, config: trainConfigSchema })
  .meta({ id: 'TrainJob' });
const captionJobSchema = z
  .strictObject({ kind: z.literal('caption'), ...jobBase, config: captionConfigSchema })
  .meta({ id: 'CaptionJob' });

/** `job.json`: written once by the app, never changed. */
export const jobSchema = z
  .discriminatedUnion('kind', [trainJobSchema, captionJobSchema])
  .meta({ id: 'Job' });
export type Job = z.infer<typeof jobSchema>;
export type JobKind = Job['kind'];

/** `proc.json`: who runs the job. A pid alone proves nothing; with its start time it does. */
export const procSchema = z.strictObject({
  pid: z.int().min(1),
  /** As the system tells it; compared for equality only. */
  startTime: z.string(),
  command: z.array(z.string()),
  appVersion: z.string(),
});
export type Proc = z.infer<typeof procSchema>;

// ---- plan -----------------------------------------------------------------------------------------------------------

/** Width, height in pixels. */
export const sizeSchema = z.tuple([z.int().min(1), z.int().min(1)]);

const bucketSchema = z
  .strictObject({
    resolution: sizeSchema,
    /** Images times repeats of the first epoch, regularization included. */
    count: z.int().min(1),
    /** Distinct pictures of all epochs, regularization included. */
    images: count(),
    /** Of the first epoch; the last of a bucket may be smaller than the others. */
    batches: count(),
    /** It holds less than a batch. */
    short: z.boolean(),
    /** How many of the pictures are made larger to fill it. */
    enlarged: count(),
  })
  .meta({ id: 'Bucket' });

const conceptSource = {
  folder: z.string(),
  /** Instance prompt and class, or the class of regularization pictures: the caption of a picture that has none. */
  prompt: z.string(),
  repeats: z.int().min(1),
  regularization: z.boolean(),
};
/** A folder of pictures that is not (yet) in Kohya's layout. */
export const conceptSourceSchema = z
  .strictObject({
    ...conceptSource,
    /** Names of the pictures in it that count; left out when all do. */
    files: z.array(z.string()).optional(),
  })
  .meta({ id: 'ConceptSource' });

const conceptSchema = z.strictObject({ ...conceptSource, images: count() }).meta({ id: 'Concept' });

/** A disk that a run writes to. */
const diskSchema = z
  .strictObject({
    /** Where the run writes on it. */
    folder: z.string(),
    /** The most bytes that the run's files take there at one time; null while their sizes are not known. */
    needBytes: count().nullable(),
    /** Null where it cannot be told. */
    freeBytes: count().nullable(),
  })
  .meta({ id: 'Disk' });

/** What a run writes. */
const filesSchema = z
  .strictObject({
    /** LoRA files that are saved, the last one included. */
    checkpoints: count(),
    /** Those that are there in the end: Save last N deletes the others. */
    checkpointsKept: count(),
    /** Of each; null where only the built LoRA can tell. */
    checkpointBytes: count().nullable(),
    /** The most states to go on from that there are at one time. */
    states: count(),
    /** Of each; null as `checkpointBytes`. */
    stateBytes: count().nullable(),
    /** Sample pictures that are drawn. */
    samples: count(),
    /** Of all of them, by what pictures of such sizes usually take. */
    samplesBytes: count(),
    disks: z.array(diskSchema),
  })
  .meta({ id: 'PlannedFiles' });

/** What a training run will do, computed by the code that will do it. */
export const planSchema = z
  .strictObject({
    buckets: z.array(bucketSchema),
    concepts: z.array(conceptSchema),
    /** Distinct training pictures. */
    images: count(),
    /** Distinct regularization pictures that are used. */
    regularizationImages: count(),
    /** Distinct pictures that are kept back for the validation loss. */
    validationImages: count(),
    batchesPerEpoch: count(),
    stepsPerEpoch: count(),
    /** What an epoch would have without the regularization pictures. */
    stepsWithoutRegularization: count(),
    epochs: count(),
    totalSteps: count(),
    /** Distinct training pictures that are made larger to fill their bucket. */
    enlargedImages: count(),
    /** Training pictures whose folder's name is their caption. */
    uncaptionedImages: count(),
    files: filesSchema,
    warnings: z.array(problemSchema),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof planSchema>;
export type PlannedFiles = Plan['files'];
export type Bucket = Plan['buckets'][number];

// ---- events.jsonl ---------------------------------------------------------------------------------------------------

export const phases = [
  'starting',
  'loading_model',
  'caching_latents',
  'caching_captions',
  'training',
  'validating',
  'sampling',
  'captioning',
  'saving',
] as const;

const envelope = {
  v: z.literal(PROTOCOL_VERSION),
  /** Counts up by one within a file. */
  seq: z.int().min(1),
  /** Seconds since 1970-01-01 UTC. */
  time: z.number(),
};

export const deviceSchema = z
  .strictObject({
    kind: z.enum(['cuda', 'cpu']),
    name: z.string(),
    /** Memory of the device in bytes; null where it cannot be told. */
    memoryBytes: z.int().min(0).nullable(),
  })
  .meta({ id: 'Device' });
export type Device = z.infer<typeof deviceSchema>;

export const versionsSchema = z
  .strictObject({
    python: z.string(),
    torch: z.string(),
    diffusers: z.string(),
    transformers: z.string(),
  })
  .meta({ id: 'Versions' });

const helloSchema = z
  .strictObject({
    type: z.literal('hello'),
    ...envelope,
    protocolVersion: z.int(),
    pid: z.int(),
    versions: versionsSchema,
    device: deviceSchema,
  })
  .meta({ id: 'HelloEvent' });

const phaseSchema = z
  .strictObject({
    type: z.literal('phase'),
    ...envelope,
    phase: z.enum(phases),
    done: count(),
    /** 0 where the end is not known. */
    total: count(),
  })
  .meta({ id: 'PhaseEvent' });

const planEventSchema = z
  .strictObject({ type: z.literal('plan'), ...envelope, plan: planSchema })
  .meta({ id: 'PlanEvent' });

const rateSchema = z
  .strictObject({ name: z.string(), value: z.number() })
  .meta({ id: 'LearningRate' });

/** Sizes of the modules' effects after a step. */
const keyNormsSchema = z
  .strictObject({ scaled: count(), average: z.number(), largest: z.number() })
  .meta({ id: 'KeyNorms' });

const stepSchema = z
  .strictObject({
    type: z.literal('step'),
    ...envelope,
    step: z.int().min(1),
    total: z.int().min(1),
    epoch: z.int().min(1),
    epochs: z.int().min(1),
    /** Null when it was not a finite number. */
    loss: z.number().nullable(),
    /** Mean of the losses of the last epoch's worth of steps. */
    averageLoss: z.number().nullable(),
    /** The first of `rates`. */
    learningRate: z.number(),
    /** By what learns with it, under Kohya's names: `unet`, `textencoder1`, and the like. */
    rates: z.array(rateSchema).min(1),
    gradNorm: z.number().nullable(),
    /** What Scale weight norms did; null while it is off. */
    keyNorms: keyNormsSchema.nullable(),
    imagesPerSecond: seconds(),
    secondsPerStep: seconds(),
    etaSeconds: seconds(),
    /** Peak memory of the device, or of the process on a CPU, in bytes. */
    memoryBytes: count(),
  })
  .meta({ id: 'StepEvent' });

/** The loss on the pictures that were kept back, the same noise each time. */
const validationSchema = z
  .strictObject({
    type: z.literal('validation'),
    ...envelope,
    step: z.int().min(1),
    epoch: z.int().min(1),
    /** Null when it was not a finite number. */
    loss: z.number().nullable(),
  })
  .meta({ id: 'ValidationEvent' });

const checkpointSchema = z
  .strictObject({
    type: z.literal('checkpoint'),
    ...envelope,
    path: z.string(),
    bytes: count(),
    step: count(),
    epoch: count(),
    final: z.boolean(),
  })
  .meta({ id: 'CheckpointEvent' });

/** An older checkpoint was deleted, as Save last N epochs or steps asks. */
const checkpointRemovedSchema = z
  .strictObject({ type: z.literal('checkpointRemoved'), ...envelope, path: z.string() })
  .meta({ id: 'CheckpointRemovedEvent' });

/** The state of the run was saved: it can go on from here. */
const stateSchema = z
  .strictObject({
    type: z.literal('state'),
    ...envelope,
    /** Its folder, in the job's `resume`. */
    path: z.string(),
    bytes: count(),
    step: count(),
    epoch: count(),
  })
  .meta({ id: 'StateEvent' });

/** The run goes on after `step`, from a state: what was told of later steps is void. */
const resumedSchema = z
  .strictObject({
    type: z.literal('resumed'),
    ...envelope,
    path: z.string(),
    step: count(),
    epoch: count(),
    /** What is not as it was when the state was saved, a sentence each. */
    changes: z.array(z.string()),
  })
  .meta({ id: 'ResumedEvent' });

/** A picture that the model drew, LoRA included, as it was after `step`. */
const sampleSchema = z
  .strictObject({
    type: z.literal('sample'),
    ...envelope,
    /** Absolute; in the job's folder, under `samples`. */
    path: z.string(),
    /** Which prompt, counted from 0. */
    index: count(),
    prompt: z.string(),
    negativePrompt: z.string(),
    width: z.int().min(1),
    height: z.int().min(1),
    seed: parameters.seed.schema,
    sampleSteps: z.int().min(1),
    cfgScale: z.number(),
    sampler: parameters.sample_sampler.schema,
    /** 0 before the training. */
    step: count(),
    epoch: count(),
  })
  .meta({ id: 'SampleEvent' });

const captionEventSchema = z
  .strictObject({
    type: z.literal('caption'),
    ...envelope,
    image: z.string(),
    captionFile: z.string(),
    /** `offered`: nothing was written, `candidates` are there to choose from. */
    outcome: z.enum(['written', 'skipped', 'failed', 'offered']),
    /** The caption as it stands in the file; empty when it failed or was offered. */
    text: z.string(),
    /** Each as it would stand in the file; empty unless offered. */
    candidates: z.array(z.string()),
    /** Why it failed or was skipped; empty when it was written. */
    reason: z.string(),
    done: count(),
    total: count(),
    imagesPerSecond: seconds(),
    etaSeconds: seconds(),
  })
  .meta({ id: 'CaptionEvent' });

const logSchema = z
  .strictObject({
    type: z.literal('log'),
    ...envelope,
    level: z.enum(['info', 'warning', 'error']),
    text: z.string(),
  })
  .meta({ id: 'LogEvent' });

const heartbeatSchema = z
  .strictObject({ type: z.literal('heartbeat'), ...envelope })
  .meta({ id: 'HeartbeatEvent' });

const warningSchema = z
  .strictObject({ type: z.literal('warning'), ...envelope, problem: problemSchema })
  .meta({ id: 'WarningEvent' });

const failedSchema = z
  .strictObject({
    type: z.literal('failed'),
    ...envelope,
    problem: problemSchema,
    traceback: z.string(),
  })
  .meta({ id: 'FailedEvent' });

const finishedSchema = z
  .strictObject({
    type: z.literal('finished'),
    ...envelope,
    /** `stopped`, `paused`: ended early because it was asked to, with what was done so far kept. */
    outcome: z.enum(['completed', 'stopped', 'paused']),
    /** The files that the job made, the most important first. */
    outputs: z.array(z.string()),
  })
  .meta({ id: 'FinishedEvent' });

export const jobEventSchema = z
  .discriminatedUnion('type', [
    helloSchema,
    phaseSchema,
    planEventSchema,
    stepSchema,
    validationSchema,
    checkpointSchema,
    checkpointRemovedSchema,
    stateSchema,
    resumedSchema,
    sampleSchema,
    captionEventSchema,
    logSchema,
    heartbeatSchema,
    warningSchema,
    failedSchema,
    finishedSchema,
  ])
  .meta({ id: 'JobEvent' });
export type JobEvent = z.infer<typeof jobEventSchema>;
export type EventType = JobEvent['type'];
export type EventOf<T extends EventType> = Extract<JobEvent, { type: T }>;

/** `state.json`: the last known state, for a quick list. The events are the truth. */
export const jobStateSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    status: z.enum(['running', 'completed', 'stopped', 'paused', 'failed']),
    phase: z.enum(phases),
    done: count(),
    total: count(),
    updatedAt: z.number(),
    outputs: z.array(z.string()),
    problem: problemSchema.nullable(),
  })
  .meta({ id: 'JobState' });
export type JobState = z.infer<typeof jobStateSchema>;

/**
 * Marker files in `control/` that the bridge reads between two steps: end the run with what was learnt, end it so that it
 * goes on later, save now, draw now. The last two are deleted as they are taken.
 */
export const controls = ['stop', 'pause', 'save', 'sample'] as const;
export type Control = (typeof controls)[number];
