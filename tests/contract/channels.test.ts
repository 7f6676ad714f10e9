import { expect, expectTypeOf, test } from 'vitest';
import type { Handlers } from '../../electron/ipc-answer';
import {
  broadcasts,
  contract,
  type Api,
  type Broadcast,
  type Channel,
} from '../../shared/contract';

/** What the window may ask for and be told, in full: whoever adds to it does so here too, on purpose. */
const channels = [
  'app:info',
  'app:openLogFolder',
  'app:saved',
  'captioner:identify',
  'captions:write',
  'config:open',
  'config:save',
  'datasets:balance',
  'datasets:cancelPreparation',
  'datasets:editPicture',
  'datasets:folderOf',
  'datasets:planBalance',
  'datasets:planPreparation',
  'datasets:prepare',
  'datasets:renameFolder',
  'datasets:scan',
  'datasets:setAside',
  'datasets:sortDropped',
  'datasets:undo',
  'dialog:choose',
  'dialog:chooseImages',
  'environment:probe',
  'environment:status',
  'jobs:config',
  'jobs:console',
  'jobs:control',
  'jobs:get',
  'jobs:list',
  'jobs:resume',
  'jobs:reveal',
  'jobs:start',
  'jobs:stop',
  'lora:inspect',
  'model:beside',
  'model:identify',
  'plan:bucket',
  'plan:make',
  'plan:memory',
  'plan:places',
  'plan:speeds',
  'presets:delete',
  'presets:list',
  'presets:rename',
  'presets:save',
  'settings:get',
  'settings:update',
] as const;

const told = [
  'app:leaving',
  'datasets:preparationProgress',
  'datasets:read',
  'environment:changed',
  'jobs:changed',
  'jobs:events',
] as const;

test('the channels are these and no others', () => {
  expect(Object.keys(contract).sort()).toEqual([...channels]);
  expect(Object.keys(broadcasts).sort()).toEqual([...told]);
});

test('every derivation has every channel: none missing, none extra', () => {
  expectTypeOf<(typeof channels)[number]>().toEqualTypeOf<Channel>();
  expectTypeOf<(typeof told)[number]>().toEqualTypeOf<Broadcast>();
  expectTypeOf<keyof Handlers>().toEqualTypeOf<Channel>();
  expectTypeOf<keyof Api['invoke']>().toEqualTypeOf<Channel>();
  expectTypeOf<keyof Api['on']>().toEqualTypeOf<Broadcast>();
});

test('requests are one strict object, or nothing', () => {
  for (const [channel, { request }] of Object.entries(contract)) {
    expect(request.safeParse('text').success, channel).toBe(false);
    expect(request.safeParse({ 'no such key': 1 }).success, channel).toBe(false);
  }
});
