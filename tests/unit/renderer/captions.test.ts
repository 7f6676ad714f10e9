import { describe, expect, it } from 'vitest';
import { captionProblems } from '../../../renderer/tabs/captioning/checks';
import { mergeCaptions, type CaptionState } from '../../../renderer/tabs/captioning/merge';
import type { ImageInfo } from '../../../shared/dataset-answers';
import type { EventOf } from '../../../shared/protocol';
import { emptyProject } from '../../../shared/settings';

const image = (path: string, caption: string | null = null): ImageInfo => ({
  id: path,
  name: path,
  path,
  bytes: 1,
  facts: { width: 8, height: 8, format: 'png', problem: null },
  edit: null,
  caption,
});

const event = (path: string, change: Partial<EventOf<'caption'>> = {}): EventOf<'caption'> => ({
  type: 'caption',
  v: 1,
  seq: 1,
  time: 0,
  image: path,
  captionFile: '',
  outcome: 'written',
  text: 'a woman',
  candidates: [],
  reason: '',
  done: 1,
  total: 1,
  imagesPerSecond: 1,
  etaSeconds: 0,
  ...change,
});

const state = (...images: ImageInfo[]): CaptionState => ({ images, outcomes: {}, offers: {} });

describe('mergeCaptions', () => {
  it('puts a caption beside its picture and marks it', () => {
    const merged = mergeCaptions(state(image('/a.png'), image('/b.png')), [event('/b.png')]);
    expect(merged.images.map(({ caption }) => caption)).toEqual([null, 'a woman']);
    expect(merged.outcomes).toEqual({ '/b.png': { kind: 'written' } });
  });

  it('keeps the caption of a picture that failed, and its reason', () => {
    const failed = event('/a.png', { outcome: 'failed', text: '', reason: 'Too dark.' });
    const merged = mergeCaptions(state(image('/a.png', 'by hand')), [failed]);
    expect(merged.images[0]?.caption).toBe('by hand');
    expect(merged.outcomes['/a.png']).toEqual({ kind: 'failed', reason: 'Too dark.' });
  });

  it('keeps the caption of a picture for which others are offered', () => {
    const offered = event('/a.png', { outcome: 'offered', text: '', candidates: ['one', 'two'] });
    const merged = mergeCaptions(state(image('/a.png', 'by hand')), [offered]);
    expect(merged.images[0]?.caption).toBe('by hand');
    expect(merged.offers).toEqual({ '/a.png': ['one', 'two'] });
    expect(merged.outcomes).toEqual({});
  });

  it('finds a picture whose path is spelt the other way', () => {
    const merged = mergeCaptions(state(image('C:\\photos\\a.png')), [event('C:/photos/a.png')]);
    expect(merged.images[0]?.caption).toBe('a woman');
  });

  it('does not touch the other pictures', () => {
    const before = state(image('/a.png'));
    expect(mergeCaptions(before, [event('/z.png')]).images[0]).toBe(before.images[0]);
  });
});

describe('captionProblems', () => {
  const form = { ...emptyProject.captioning, image_dir: '/photos' };

  it('finds nothing wrong with the defaults and a folder', () => {
    expect(captionProblems(form)).toEqual({});
  });

  it.each([
    [{ image_dir: '' }, { image_dir: 'Image folder must not be empty.' }],
    [{ num_beams: 0 }, { num_beams: 'Number of beams must be at least 1.' }],
    [{ num_beams: 1.5 }, { num_beams: 'Number of beams must be a whole number.' }],
    [{ top_p: 2 }, { top_p: 'Top p must be at most 1.' }],
    [{ batch_size: null }, { batch_size: 'Batch size must be a number.' }],
    [
      { caption_extension: 'txt' },
      { caption_extension: 'Caption file extension must begin with a dot, like .txt.' },
    ],
    [{ min_length: 90 }, { min_length: 'Min length must not be above Max length (75).' }],
  ])('says what is wrong with %o', (change, problems) => {
    expect(captionProblems({ ...form, ...change })).toEqual(problems);
  });
});
