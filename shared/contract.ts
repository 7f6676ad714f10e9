import { z } from 'zod';
import {
  balanceSchema,
  droppedSchema,
  imageInfoSchema,
  preparationPlanSchema,
  preparationProgressSchema,
  preparedSchema,
  readPictureSchema,
  scanSchema,
  undoneSchema,
} from './dataset-answers';
import { datasetFormSchema } from './dataset-form';
import type { JobSummary, JobView } from './job-view';
import { configKinds } from './kohya/config-kinds';
import { bucketPageSchema, openedConfigSchema, ownPresetsSchema } from './parameter-answers';
import { trainConfigSchema } from './parameters';
import { pictureEditSchema } from './picture-edits';
import { ownPresetSchema, presetNameSchema, presetValuesSchema } from './preset-values';
import { captionConfigSchema, controls, jobEventSchema, planSchema } from './protocol';
import { runSpeedSchema } from './time-estimate';
import { placeRequestSchema, placesSchema } from './picture-protocol';
import {
  bucketRequestSchema,
  captionerSchema,
  inspectionSchema,
  memoryRequestSchema,
  memorySchema,
  modelIdentitySchema,
  probeSchema,
} from './worker-protocol';
import { problemSchema, type Result } from './result';
import { settingsPatchSchema, settingsSchema, trainDraftSchema } from './settings';

/**
 * Every IPC channel: what goes in and what comes out. The preload's `window.api`, the renderer's client and main's
 * handlers are derived from it. Requests are one object each and are checked in main; answers come as a Result.
 */

const nothing = z.undefined();
const jobId = z.strictObject({ jobId: z.string().min(1) });

const balanceRequestSchema = z.strictObject({
  folder: z.string(),
  steps: z.int().min(1).max(1_000_000),
});

const dialogBase = { title: z.string(), startIn: z.string() };

const appInfoSchema = z.strictObject({
  version: z.string(),
  electron: z.string(),
  /** The stand-in runtime for trying out and for tests, where the current Electron could not be had. */
  fallbackRuntime: z.boolean(),
  dataFolder: z.string(),
  logFolder: z.string(),
});
export type AppInfo = z.infer<typeof appInfoSchema>;

/** Checked by its type alone: it is made in main, from events that were checked one by one. */
const jobViewSchema = z.custom<JobView>((value) => typeof value === 'object' && value !== null);
const jobSummarySchema = z.custom<JobSummary>(
  (value) => typeof value === 'object' && value !== null,
);

export const startJobSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('train'), config: trainConfigSchema }),
  z.strictObject({
    kind: z.literal('caption'),
    /** Where the job's folder is made. */
    logging_dir: z.string(),
    config: captionConfigSchema,
  }),
]);
export type StartJob = z.infer<typeof startJobSchema>;

/** What a running training can be asked for beside to stop. */
export const wishSchema = z.enum(controls).exclude(['stop']);
export type Wish = z.infer<typeof wishSchema>;

const consoleChunkSchema = z.strictObject({
  text: z.string(),
  nextOffset: z.int().min(0),
});

const workerStatusSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('starting') }),
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('failed'), problem: problemSchema }),
]);
export type WorkerStatus = z.infer<typeof workerStatusSchema>;

export const contract = {
  'app:info': { request: nothing, response: appInfoSchema },
  'app:openLogFolder': { request: nothing, response: z.null() },
  /** The answer to `app:leaving`. */
  'app:saved': { request: nothing, response: z.null() },
  'settings:get': { request: nothing, response: settingsSchema },
  'settings:update': { request: settingsPatchSchema, response: settingsSchema },
  /** The user's own presets. Those that come with the app are in `presets.ts`. */
  'presets:list': { request: nothing, response: ownPresetsSchema },
  'presets:save': {
    /** One of the same name is replaced when that is wished, and otherwise refused. */
    request: z.strictObject({
      name: presetNameSchema,
      values: presetValuesSchema,
      replace: z.boolean(),
    }),
    response: ownPresetSchema,
  },
  'presets:rename': {
    request: z.strictObject({ id: z.string(), name: presetNameSchema }),
    response: ownPresetSchema,
  },
  'presets:delete': { request: z.strictObject({ id: z.string() }), response: z.null() },
  'dialog:choose': {
    request: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('folder'), ...dialogBase }),
      z.strictObject({
        kind: z.literal('file'),
        ...dialogBase,
        /** Without a dot. */
        extensions: z.array(z.string().regex(/^[a-z\d]+$/u)).min(1),
      }),
    ]),
    /** Null when the dialog was cancelled. */
    response: z.strictObject({ path: z.string().nullable() }),
  },
  /** Several folders, or several pictures; none when the dialog was cancelled. */
  'dialog:chooseImages': {
    request: z.strictObject({ kind: z.enum(['folders', 'pictures']), ...dialogBase }),
    response: z.strictObject({ paths: z.array(z.string()) }),
  },
  /** Reads a config of kohya_ss or sd-scripts; it is the page that uses it, or not. */
  'config:open': { request: z.strictObject({ path: z.string() }), response: openedConfigSchema },
  /** Asks for a place, and writes the config there. Null when the dialog was cancelled. */
  'config:save': {
    request: z.strictObject({ draft: trainDraftSchema, kind: z.enum(configKinds) }),
    /** `otherwise`: what Kohya's trainer does otherwise with it. */
    response: z.strictObject({ path: z.string(), otherwise: z.array(z.string()) }).nullable(),
  },
  /** For what was dropped: the folder itself, or the folder of a file. */
  'datasets:folderOf': {
    request: z.strictObject({ path: z.string() }),
    response: z.strictObject({ folder: z.string() }),
  },
  /** Turns and crops a picture beside itself. Answers with the picture as it is then, whose id is another one. */
  'datasets:editPicture': {
    request: z.strictObject({
      imageId: z.string(),
      captionExtension: z.string(),
      edit: pictureEditSchema,
    }),
    response: imageInfoSchema,
  },
  'datasets:scan': {
    request: z.strictObject({ folder: z.string(), captionExtension: z.string() }),
    response: scanSchema,
  },
  'datasets:planPreparation': { request: datasetFormSchema, response: preparationPlanSchema },
  'datasets:prepare': { request: datasetFormSchema, response: preparedSchema },
  /** What was dropped, by kind. */
  'datasets:sortDropped': {
    request: z.strictObject({ paths: z.array(z.string()) }),
    response: droppedSchema,
  },
  /** Takes back what was done last to a project, or to a folder that was balanced. */
  'datasets:undo': {
    request: z.strictObject({ folder: z.string(), id: z.string() }),
    response: undoneSchema,
  },
  /** Moves folders of an earlier preparation to where nobody trains on them. */
  'datasets:setAside': {
    request: z.strictObject({ destination: z.string(), folders: z.array(z.string()).min(1) }),
    response: z.null(),
  },
  'datasets:renameFolder': {
    request: z.strictObject({ destination: z.string(), from: z.string(), to: z.string() }),
    response: z.null(),
  },
  /** What balancing would rename. `steps` an epoch, for each folder. */
  'datasets:planBalance': { request: balanceRequestSchema, response: balanceSchema },
  'datasets:balance': {
    request: balanceRequestSchema,
    response: z.strictObject({ renamed: z.int().min(0) }),
  },
  'datasets:cancelPreparation': { request: nothing, response: z.null() },
  'captions:write': {
    request: z.strictObject({
      imageId: z.string(),
      captionExtension: z.string(),
      text: z.string(),
    }),
    response: z.strictObject({ caption: z.string().nullable() }),
  },
  /** Where pictures of these sizes come into their buckets. */
  'plan:places': {
    /** Parameters that cannot be used count as their defaults. */
    request: placeRequestSchema.pick({ sizes: true }).extend({ draft: trainDraftSchema }),
    response: placesSchema,
  },
  'plan:make': { request: trainConfigSchema, response: planSchema },
  /** What a run with these parameters needs of a device's memory. */
  'plan:memory': {
    request: memoryRequestSchema.omit({ type: true, id: true }),
    response: memorySchema,
  },
  /** Some of the photos of a bucket, from `offset` on. */
  'plan:bucket': {
    request: bucketRequestSchema.omit({ type: true, id: true }),
    response: bucketPageSchema,
  },
  /** How fast earlier trainings were, newest first. */
  'plan:speeds': { request: nothing, response: z.array(runSpeedSchema) },
  /** The .safetensors files in the folder of a model. */
  'model:beside': {
    request: z.strictObject({ path: z.string() }),
    response: z.strictObject({ paths: z.array(z.string()) }),
  },
  'model:identify': {
    request: z.strictObject({ path: z.string() }),
    response: modelIdentitySchema,
  },
  /** What kind of caption model it is. */
  'captioner:identify': {
    request: z.strictObject({ path: z.string() }),
    response: captionerSchema,
  },
  'lora:inspect': {
    request: z.strictObject({ jobId: z.string(), path: z.string() }),
    response: inspectionSchema,
  },
  'environment:probe': { request: nothing, response: probeSchema },
  'environment:status': { request: nothing, response: workerStatusSchema },
  'jobs:start': { request: startJobSchema, response: jobViewSchema },
  /** Gently: it ends at its next safe point and keeps what was done. By force: the whole process group goes. */
  'jobs:stop': { request: jobId.extend({ force: z.boolean() }), response: z.null() },
  /** To pause, to save now or to draw samples now: done between two steps. */
  'jobs:control': { request: jobId.extend({ wish: wishSchema }), response: z.null() },
  /** Goes on with a training that has ended, in its own folder: from its newest state, or from its beginning. */
  'jobs:resume': { request: jobId, response: jobViewSchema },
  /** The config of a training, of an earlier version of the app too. */
  'jobs:config': { request: jobId, response: trainConfigSchema },
  /** Newest first. */
  'jobs:list': { request: nothing, response: z.array(jobSummarySchema) },
  'jobs:get': { request: jobId, response: jobViewSchema },
  'jobs:console': {
    request: jobId.extend({ offset: z.int().min(0) }),
    response: consoleChunkSchema,
  },
  /** Shows the job's folder, or one of its outputs, in the system's file manager. */
  'jobs:reveal': { request: jobId.extend({ path: z.string().nullable() }), response: z.null() },
} as const;

/** What main tells the renderer without being asked. */
export const broadcasts = {
  /** The app is about to quit: what was typed last is to be saved now. */
  'app:leaving': z.null(),
  /** A job appeared or its status changed. */
  'jobs:changed': jobSummarySchema,
  /** New events of a job, at most ten times a second. */
  'jobs:events': z.strictObject({ jobId: z.string(), events: z.array(jobEventSchema) }),
  'datasets:preparationProgress': preparationProgressSchema,
  /** Pictures of a scan that were read since, a few times a second. */
  'datasets:read': z.array(readPictureSchema),
  'environment:changed': workerStatusSchema,
} as const;

export type Channel = keyof typeof contract;
export type Request<C extends Channel> = z.infer<(typeof contract)[C]['request']>;
export type Response<C extends Channel> = z.infer<(typeof contract)[C]['response']>;
export type Broadcast = keyof typeof broadcasts;
export type BroadcastPayload<B extends Broadcast> = z.infer<(typeof broadcasts)[B]>;

/** `window.api`: one method a channel, one subscription a broadcast, nothing else. */
export interface Api {
  readonly invoke: {
    readonly [C in Channel]: (request: Request<C>) => Promise<Result<Response<C>>>;
  };
  /** Returns the function that ends the subscription. */
  readonly on: {
    readonly [B in Broadcast]: (listener: (payload: BroadcastPayload<B>) => void) => () => void;
  };
  /** Path of a `File` that was dropped on the window. */
  readonly pathOf: (file: object) => string;
}
