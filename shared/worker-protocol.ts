import { z } from 'zod';
import { trainConfigSchema } from './parameters';
import {
  pictureFactsSchema,
  pictureRequestSchema,
  placeRequestSchema,
  placesSchema,
  shownPictureSchema,
  showRequestSchema,
} from './picture-protocol';
import {
  conceptSourceSchema,
  count,
  deviceSchema,
  phases,
  planSchema,
  sizeSchema,
  versionsSchema,
} from './protocol';
import { problemSchema } from './result';

/** Short questions to the bridge and its answers: `python -m lora_bridge serve`, one JSON object a line. */

const planRequestSchema = z
  .strictObject({
    type: z.literal('plan'),
    id: z.int(),
    config: trainConfigSchema,
    /** When given, read instead of the config's folders: what a preparation is about to make. */
    concepts: z.array(conceptSourceSchema).nullable(),
  })
  .meta({ id: 'PlanRequest' });
export const bucketRequestSchema = z
  .strictObject({
    type: z.literal('bucket'),
    id: z.int(),
    config: trainConfigSchema,
    resolution: sizeSchema,
    /** The first of the pictures that are asked for, counted from 0. */
    offset: count(),
    limit: z.int().min(1).max(200),
  })
  .meta({ id: 'BucketRequest' });
const inspectRequestSchema = z
  .strictObject({ type: z.literal('inspect'), id: z.int(), path: z.string() })
  .meta({ id: 'InspectRequest' });
const identifyRequestSchema = z
  .strictObject({ type: z.literal('identify'), id: z.int(), path: z.string() })
  .meta({ id: 'IdentifyRequest' });
const captionerRequestSchema = z
  .strictObject({ type: z.literal('captioner'), id: z.int(), path: z.string() })
  .meta({ id: 'CaptionerRequest' });
const probeRequestSchema = z
  .strictObject({ type: z.literal('probe'), id: z.int() })
  .meta({ id: 'ProbeRequest' });

export const memoryRequestSchema = z
  .strictObject({
    type: z.literal('memory'),
    id: z.int(),
    config: trainConfigSchema,
    /** What it is to be trained on. */
    device: deviceSchema,
  })
  .meta({ id: 'MemoryRequest' });

export const workerRequestSchema = z
  .discriminatedUnion('type', [
    planRequestSchema,
    memoryRequestSchema,
    bucketRequestSchema,
    inspectRequestSchema,
    identifyRequestSchema,
    captionerRequestSchema,
    probeRequestSchema,
    pictureRequestSchema,
    showRequestSchema,
    placeRequestSchema,
  ])
  .meta({ id: 'WorkerRequest' });
export type WorkerRequest = z.infer<typeof workerRequestSchema>;

/** What a caption model is, as far as it can be told without fetching it. */
export const captionerSchema = z
  .strictObject({
    /** Null where it is not known before it is fetched, and for what is no caption model. */
    kind: z.enum(['blip', 'blip-2', 'git', 'wd14']).nullable(),
    problem: problemSchema.nullable(),
  })
  .meta({ id: 'CaptionerIdentity' });
export type CaptionerIdentity = z.infer<typeof captionerSchema>;

/** A picture as it comes into its bucket: resized as a whole, then cut. */
export const bucketPictureSchema = z
  .strictObject({
    path: z.string(),
    /** As shown, that is with the EXIF orientation applied. */
    size: sizeSchema,
    resized: sizeSchema,
    /** Left and top of what is kept of the resized picture; it is as large as the bucket. */
    crop: z.tuple([count(), count()]),
    /** It is cut elsewhere each time; `crop` is the middle of the places. */
    cropMoves: z.boolean(),
    /** How often the first epoch shows it: 0 for one whose turn comes later. */
    repeats: count(),
    regularization: z.boolean(),
    /** It is made larger to fill the bucket. */
    enlarged: z.boolean(),
  })
  .meta({ id: 'BucketPicture' });
export type BucketPicture = z.infer<typeof bucketPictureSchema>;

export const bucketPicturesSchema = z
  .strictObject({
    /** How many the bucket has. */
    total: count(),
    pictures: z.array(bucketPictureSchema),
  })
  .meta({ id: 'BucketPictures' });

const loraModuleSchema = z
  .strictObject({
    name: z.string(),
    rank: z.int().min(0),
    alpha: z.number().nullable(),
    /** Largest absolute weight of the up matrix; 0 means that the module does nothing. */
    upMax: z.number().nullable(),
    /** Tensors of this module that hold NaN or infinity. */
    nonFinite: z.array(z.string()),
  })
  .meta({ id: 'LoraModule' });

/** What is in a LoRA file. */
export const inspectionSchema = z
  .strictObject({
    path: z.string(),
    bytes: count(),
    tensors: count(),
    dtypes: z.array(z.string()),
    modules: z.array(loraModuleSchema),
    /** Number of modules by part of the model. */
    parts: z.strictObject({
      unet: count(),
      textEncoder1: count(),
      textEncoder2: count(),
      other: count(),
    }),
    ranks: z.array(z.int()),
    alphas: z.array(z.number()),
    nonFiniteTensors: z.array(z.string()),
    emptyModules: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Inspection' });
export type Inspection = z.infer<typeof inspectionSchema>;

/** What a base model path turned out to be, from the names of its tensors or its `model_index.json`. */
export const modelIdentitySchema = z
  .strictObject({
    kind: z.enum([
      'sdxl',
      'sdxl_refiner',
      'sd1',
      'sd2',
      'sd3',
      'flux',
      'lora',
      'unknown',
      'missing',
      'hub',
    ]),
    format: z.enum(['single_file', 'diffusers', 'hub', 'none']),
    problem: problemSchema.nullable(),
  })
  .meta({ id: 'ModelIdentity' });
export type ModelIdentity = z.infer<typeof modelIdentitySchema>;

export const probeSchema = z
  .strictObject({ versions: versionsSchema, devices: z.array(deviceSchema).min(1) })
  .meta({ id: 'Probe' });
export type Probe = z.infer<typeof probeSchema>;

const memoryPartsSchema = z
  .strictObject({
    /** The frozen models that stay on the device. */
    weights: count(),
    /** What is learnt, with its gradients. */
    adapter: count(),
    optimizer: count(),
    activations: count(),
    /** What the libraries take, and what they cannot fill. */
    libraries: count(),
  })
  .meta({ id: 'MemoryParts' });
export type MemoryParts = z.infer<typeof memoryPartsSchema>;

const phaseMemorySchema = z
  .strictObject({
    phase: z.enum(phases),
    /** At its peak. */
    bytes: count(),
    /** Of them the base model's file, mapped: the system takes that back where memory runs short. */
    fileBytes: count(),
  })
  .meta({ id: 'PhaseMemory' });

/** A change that makes a run need less. */
const memoryChangeSchema = z
  .strictObject({
    /** For the config. Empty where a person has to change the dataset file. */
    values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    /** What to do, as a sentence. */
    advice: z.string(),
    /** What that costs in time or quality, as a sentence. */
    cost: z.string(),
  })
  .meta({ id: 'MemoryChange' });
export type MemoryChange = z.infer<typeof memoryChangeSchema>;

/** How much memory a training needs of one device. All sizes are in bytes. */
export const memorySchema = z
  .strictObject({
    /** Of a training step. */
    parts: memoryPartsSchema,
    /** In the order of the run; those that it does not have are not there. */
    phases: z.array(phaseMemorySchema).min(1),
    /** The highest of all peaks. */
    peakBytes: count(),
    /** What has to be there: the highest peak without what the system can take back. */
    neededBytes: count(),
    /** Null where it cannot be told. */
    memoryBytes: count().nullable(),
    /** Null where that cannot be told. */
    fits: z.boolean().nullable(),
    /** The load that the estimate is for. */
    batch: count(),
    pixels: count(),
    /** The least costly changes that make it fit: empty where it fits, null where nothing does. */
    fit: z.array(memoryChangeSchema).nullable(),
    /** What it needs with every change there is. */
    leastBytes: count(),
  })
  .meta({ id: 'Memory' });
export type Memory = z.infer<typeof memorySchema>;

/** The answer schema of each request type. */
export const workerAnswers = {
  plan: planSchema,
  memory: memorySchema,
  bucket: bucketPicturesSchema,
  inspect: inspectionSchema,
  identify: modelIdentitySchema,
  captioner: captionerSchema,
  probe: probeSchema,
  picture: pictureFactsSchema,
  show: shownPictureSchema,
  place: placesSchema,
} as const satisfies Record<WorkerRequest['type'], z.ZodType>;
export type WorkerAnswer<T extends WorkerRequest['type']> = z.infer<(typeof workerAnswers)[T]>;

/** First line of a worker. */
export const workerHelloSchema = z
  .strictObject({ type: z.literal('hello'), protocolVersion: z.int(), pid: z.int() })
  .meta({ id: 'WorkerHello' });

/** Every later line of a worker answers the request with the id `re`. */
export const workerReplySchema = z.union([
  z.strictObject({ re: z.int(), ok: z.unknown() }),
  z.strictObject({ re: z.int(), error: problemSchema }),
]);
