import type { EventOf } from '../../shared/protocol';

/** A sample's event; what a test does not care for has some value. */
export const sampleEvent = (fields: Partial<EventOf<'sample'>> = {}): EventOf<'sample'> => ({
  type: 'sample',
  v: 1,
  seq: 1,
  time: 1,
  path: '/log/job/samples/1.png',
  index: 0,
  prompt: 'a portrait',
  negativePrompt: '',
  width: 1024,
  height: 768,
  seed: 7,
  sampleSteps: 30,
  cfgScale: 7.5,
  sampler: 'dpm++_2m_karras',
  step: 0,
  epoch: 0,
  ...fields,
});
