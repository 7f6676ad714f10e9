import type { BucketPhoto } from '../../../../shared/parameter-answers';
import type { Bucket } from '../../../../shared/protocol';
import { thumbnailUrl } from '../../../api';
import { cutShare, keptBox } from '../../../components/cut';

interface CutPhotoProps {
  /** Null while it is on its way. */
  readonly photo: BucketPhoto | null;
  readonly resolution: Bucket['resolution'];
  /** Of the square that it fits into, in pixels. */
  readonly side: number;
}

function Cut({ photo, resolution, side }: CutPhotoProps & { readonly photo: BucketPhoto }) {
  const [width, height] = photo.resized;
  const scale = side / Math.max(width, height);
  return (
    <div className="cut-photo" style={{ width: width * scale, height: height * scale }}>
      {photo.id !== null && (
        <img src={thumbnailUrl(photo.id)} alt="" loading="lazy" draggable={false} />
      )}
      <div
        className="cut-kept"
        data-moves={photo.cropMoves || undefined}
        style={keptBox(photo.crop, resolution, photo.resized)}
      />
    </div>
  );
}

function turnText({ repeats, regularization }: BucketPhoto): string {
  const turn = repeats === 0 ? 'shown in a later epoch' : `shown ${repeats} × an epoch`;
  return regularization ? `Regularization, ${turn}` : `S${turn.slice(1)}`;
}

function cutText(photo: BucketPhoto, resolution: Bucket['resolution']): string {
  const share = Math.round(100 * cutShare(photo.resized, resolution));
  const cut = share === 0 ? 'Nothing cut' : `${share} % cut`;
  return photo.cropMoves ? `${cut}, elsewhere each time` : cut;
}

/** A photo as it is resized for its bucket, with what is cut away in the shade. */
export function CutPhoto({ photo, resolution, side }: CutPhotoProps) {
  if (photo === null)
    return (
      <figure className="tile" aria-busy>
        <div className="tile-frame" />
      </figure>
    );
  const [width, height] = photo.size;
  return (
    <figure className="tile" title={photo.name}>
      <div className="tile-frame">
        <Cut photo={photo} resolution={resolution} side={side} />
      </div>
      <figcaption>
        <span className="tile-name">{photo.name}</span>
        <span className="tile-remark numbers" data-tone={photo.enlarged ? 'attention' : undefined}>
          {width} × {height}
          {photo.enlarged && ', enlarged'}
        </span>
        <span className="tile-remark numbers">{cutText(photo, resolution)}</span>
        <span className="tile-remark numbers" title={turnText(photo)}>
          {turnText(photo)}
        </span>
      </figcaption>
    </figure>
  );
}
