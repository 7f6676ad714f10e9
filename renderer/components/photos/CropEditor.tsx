import { Button, Select } from '@mantine/core';
import { useState } from 'react';
import ReactCrop, { type PercentCrop } from 'react-image-crop';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { noEdit, type Crop } from '../../../shared/picture-edits';
import { largeUrl } from '../../api';
import { attempt } from '../../app/notify';
import { editPicture } from './store';

const shapes = [
  { value: 'free', label: 'Any shape' },
  { value: '1', label: 'Square' },
  { value: '0.75', label: 'Portrait 3:4' },
  { value: String(2 / 3), label: 'Portrait 2:3' },
  { value: String(4 / 3), label: 'Landscape 4:3' },
  { value: '1.5', label: 'Landscape 3:2' },
];

const asPercent = ([left, top, width, height]: Crop): PercentCrop => ({
  unit: '%',
  x: left * 100,
  y: top * 100,
  width: width * 100,
  height: height * 100,
});

const part = (percent: number): number => Math.min(1, Math.max(0, Math.round(percent * 1e4) / 1e6));

const asCrop = ({ x, y, width, height }: PercentCrop): Crop | null =>
  width === 0 || height === 0 ? null : [part(x), part(y), part(width), part(height)];

interface CropEditorProps {
  readonly image: ImageInfo;
  readonly onDone: () => void;
}

/** Draws what is kept of a picture, with mouse or arrow keys. */
export function CropEditor({ image, onDone }: CropEditorProps) {
  const edit = image.edit ?? noEdit;
  const [crop, setCrop] = useState<PercentCrop>(asPercent(edit.crop ?? [0, 0, 1, 1]));
  const [shape, setShape] = useState('free');
  const aspect = shape === 'free' ? undefined : Number(shape);
  const save = async () => {
    await editPicture(image, { ...edit, crop: asCrop(crop) });
    onDone();
  };
  return (
    <>
      <div className="large-stage">
        <ReactCrop
          crop={crop}
          onChange={(_, percent) => setCrop(percent)}
          ruleOfThirds
          {...(aspect !== undefined && { aspect })}
          ariaLabels={{
            cropArea: 'What is kept: arrow keys move it',
            nwDragHandle: 'Left top corner: arrow keys move it',
            nDragHandle: 'Top edge: arrow keys move it',
            neDragHandle: 'Right top corner: arrow keys move it',
            eDragHandle: 'Right edge: arrow keys move it',
            seDragHandle: 'Right bottom corner: arrow keys move it',
            sDragHandle: 'Bottom edge: arrow keys move it',
            swDragHandle: 'Left bottom corner: arrow keys move it',
            wDragHandle: 'Left edge: arrow keys move it',
          }}
        >
          <img src={largeUrl(image.id, 'uncropped')} alt={image.name} />
        </ReactCrop>
      </div>
      <div className="large-actions">
        <Select
          size="sm"
          aria-label="Shape of the crop"
          allowDeselect={false}
          data={shapes}
          value={shape}
          onChange={(value) => {
            setShape(value ?? 'free');
            const ratio = Number(value);
            if (value !== 'free') setCrop(largestOf(ratio, image));
          }}
        />
        <Button onClick={() => attempt(save)}>Keep this crop</Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </>
  );
}

/** The largest part of a shape, in the middle of the picture. */
function largestOf(ratio: number, { facts, edit }: ImageInfo): PercentCrop {
  const [, , partWidth, partHeight] = edit?.crop ?? [0, 0, 1, 1];
  const width = (facts?.width ?? 1) / partWidth;
  const height = (facts?.height ?? 1) / partHeight;
  const keptWidth = Math.min(1, (height * ratio) / width);
  const keptHeight = Math.min(1, width / ratio / height);
  return asPercent([(1 - keptWidth) / 2, (1 - keptHeight) / 2, keptWidth, keptHeight]);
}
