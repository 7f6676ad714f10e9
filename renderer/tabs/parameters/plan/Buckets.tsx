import { useState } from 'react';
import type { Bucket, Plan } from '../../../../shared/protocol';
import { formatCount, formatQuantity } from '../../../format';
import { useChecked } from '../useChecked';
import { BucketPhotos } from './BucketPhotos';

const FRAME = 68;

const nameOf = ({ resolution: [width, height] }: Bucket): string => `${width} × ${height}`;

function remarkOf({ short, enlarged }: Bucket): string | null {
  if (short) return 'less than a batch';
  return enlarged > 0 ? `${formatCount(enlarged)} enlarged` : null;
}

interface ShapeProps {
  readonly bucket: Bucket;
  /** Pixels on the screen for one of the bucket's. */
  readonly scale: number;
  readonly onChoose: () => void;
}

function Shape({ bucket, scale, onChoose }: ShapeProps) {
  const {
    resolution: [width, height],
    images,
    count,
    batches,
    short,
  } = bucket;
  const remark = remarkOf(bucket);
  return (
    <button
      type="button"
      data-short={short || undefined}
      title={`Shown ${formatQuantity(count, 'time')} an epoch, in ${formatQuantity(batches, 'batch', 'batches')}`}
      aria-haspopup="dialog"
      onClick={onChoose}
    >
      <span className="bucket-frame" aria-hidden>
        <span
          className="bucket-outline numbers"
          style={{ width: width * scale, height: height * scale }}
        >
          {formatCount(images)}
        </span>
      </span>
      <span className="bucket-words numbers">{nameOf(bucket)}</span>
      <span className="bucket-words">{formatQuantity(images, 'photo')}</span>
      {remark !== null && (
        <span className="bucket-remark" data-tone="attention">
          {remark}
        </span>
      )}
    </button>
  );
}

/** The buckets of a run as their shapes, to scale with each other. Choosing one shows its photos. */
export function Buckets({ buckets }: Pick<Plan, 'buckets'>) {
  const { config } = useChecked();
  const [chosen, setChosen] = useState<Bucket | null>(null);
  const longest = Math.max(...buckets.flatMap(({ resolution }) => resolution));
  return (
    <section aria-label="Buckets">
      <h3 className="small-title">
        {buckets.length === 1 ? '1 bucket' : `${formatCount(buckets.length)} buckets`}
      </h3>
      <ul className="bucket-shapes">
        {buckets.map((bucket) => (
          <li key={nameOf(bucket)}>
            <Shape bucket={bucket} scale={FRAME / longest} onChoose={() => setChosen(bucket)} />
          </li>
        ))}
      </ul>
      {chosen !== null && (
        <BucketPhotos bucket={chosen} config={config} onClose={() => setChosen(null)} />
      )}
    </section>
  );
}
