import {
  IconAlertTriangle,
  IconArrowsMaximize,
  IconCheck,
  IconCrop,
  IconEyeOff,
  IconMessageOff,
  type Icon,
} from '@tabler/icons-react';
import { memo, type MouseEvent } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import type { Place } from '../../../shared/picture-protocol';
import { thumbnailUrl } from '../../api';
import type { Touch } from './selection';

interface PhotoTileProps {
  readonly id: string;
  readonly image: ImageInfo;
  readonly place: Place | null;
  readonly index: number;
  readonly count: number;
  readonly selected: boolean;
  readonly current: boolean;
  readonly leftOut: boolean;
  readonly onTouch: (path: string, touch: Touch) => void;
  readonly onOpen: (path: string) => void;
}

interface Flag {
  readonly Icon: Icon;
  readonly text: string;
  readonly tone?: 'attention';
}

function flagsOf(image: ImageInfo, place: Place | null, leftOut: boolean): Flag[] {
  const flags: Flag[] = [];
  if (leftOut) flags.push({ Icon: IconEyeOff, text: 'Left out' });
  if (image.edit !== null) flags.push({ Icon: IconCrop, text: 'Cropped or turned' });
  if (place?.enlarged)
    flags.push({
      Icon: IconArrowsMaximize,
      text: 'Enlarged to fill its bucket',
      tone: 'attention',
    });
  if (image.caption === null) flags.push({ Icon: IconMessageOff, text: 'No caption' });
  return flags;
}

export function sizeText({ facts }: ImageInfo): string {
  if (facts === null) return 'Reading…';
  return facts.width > 0 ? `${facts.width} × ${facts.height}` : facts.format || 'unknown';
}

/** Of the picture and of its bucket, as short as a tile is narrow. */
function shortSize(image: ImageInfo, place: Place | null): string {
  const { facts } = image;
  if (facts === null || place === null) return sizeText(image);
  const [width, height] = place.bucket;
  return `${facts.width}×${facts.height} → ${width}×${height}`;
}

function Picture({ image }: { readonly image: ImageInfo }) {
  const problem = image.facts?.problem ?? null;
  if (problem === null)
    return <img src={thumbnailUrl(image.id)} alt="" loading="lazy" draggable={false} />;
  return (
    <div className="tile-broken">
      <IconAlertTriangle size={22} aria-hidden />
      <span>Cannot be used</span>
      <span className="tile-reason">{problem}</span>
    </div>
  );
}

/** A picture of the grid with what is to be known of it at a glance. */
export const PhotoTile = memo(function PhotoTile(props: PhotoTileProps) {
  const { id, image, place, index, count, selected, current, leftOut, onTouch, onOpen } = props;
  const problem = image.facts?.problem ?? null;
  const flags = flagsOf(image, place, leftOut);
  const touchOf = (event: MouseEvent): Touch => ({
    toggle: event.ctrlKey || event.metaKey,
    range: event.shiftKey,
  });
  return (
    <div
      id={id}
      role="option"
      aria-selected={selected}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-label={[image.name, sizeText(image), problem, ...flags.map(({ text }) => text)]
        .filter((part) => part !== null)
        .join(', ')}
      className="tile photo-tile"
      title={problem === null ? image.name : `${image.name}: ${problem}`}
      data-broken={problem !== null || undefined}
      data-current={current || undefined}
      data-left-out={leftOut || undefined}
      onClick={(event) => onTouch(image.path, touchOf(event))}
      onDoubleClick={() => onOpen(image.path)}
    >
      <div className="tile-frame">
        <Picture image={image} />
        <span
          className="tile-check"
          aria-hidden
          onClick={(event) => {
            event.stopPropagation();
            onTouch(image.path, { ...touchOf(event), toggle: true });
          }}
        >
          <IconCheck size={14} stroke={2.5} />
        </span>
      </div>
      <div className="tile-text">
        <span className="tile-name">{image.name}</span>
        <span className="tile-line">
          <span className="tile-size numbers">{shortSize(image, place)}</span>
          {flags.map(({ Icon: FlagIcon, text, tone }) => (
            <span key={text} title={text} className="tile-flag" data-tone={tone}>
              <FlagIcon size={14} aria-hidden />
            </span>
          ))}
        </span>
      </div>
    </div>
  );
});
