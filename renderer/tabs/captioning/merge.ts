import type { ImageInfo } from '../../../shared/dataset-answers';
import type { EventOf, JobEvent } from '../../../shared/protocol';

/** What happened to a picture's caption since the folder was read. */
export type Outcome =
  { readonly kind: 'written' } | { readonly kind: 'failed'; readonly reason: string };

export interface CaptionState {
  readonly images: readonly ImageInfo[];
  /** Captions to choose from, by picture path. */
  readonly offers: Readonly<Record<string, readonly string[]>>;
  /** By picture path. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Main and the bridge may spell one path differently on Windows. */
const comparable = (path: string): string => path.replace(/[\\/]+/gu, '/');

export const captionEvents = (events: readonly JobEvent[]): EventOf<'caption'>[] =>
  events.filter((event) => event.type === 'caption');

/** The pictures with the captions that these events tell of. What fails keeps the caption that it had. */
export function mergeCaptions<S extends CaptionState>(
  state: S,
  events: readonly EventOf<'caption'>[],
): S {
  const byPath = new Map(events.map((event) => [comparable(event.image), event]));
  const outcomes = { ...state.outcomes };
  const offers = { ...state.offers };
  const images = state.images.map((image) => {
    const event = byPath.get(comparable(image.path));
    if (event === undefined) return image;
    if (event.outcome === 'offered') {
      offers[image.path] = event.candidates;
      return image;
    }
    if (event.outcome === 'failed') {
      outcomes[image.path] = { kind: 'failed', reason: event.reason };
      return image;
    }
    if (event.outcome === 'written') outcomes[image.path] = { kind: 'written' };
    return { ...image, caption: event.text };
  });
  return { ...state, images, outcomes, offers };
}

/** `items` without `key`. */
export function without<T>(items: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(items).filter(([name]) => name !== key));
}
