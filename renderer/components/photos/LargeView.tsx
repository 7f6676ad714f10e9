import { ActionIcon, Button, Modal, Switch } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import {
  IconArrowLeft,
  IconArrowRight,
  IconCrop,
  IconRestore,
  IconRotateClockwise,
  IconZoomIn,
  IconZoomOut,
  type Icon,
} from '@tabler/icons-react';
import { useState } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { noEdit, turnedRight } from '../../../shared/picture-edits';
import type { Place } from '../../../shared/picture-protocol';
import { largeUrl } from '../../api';
import { attempt } from '../../app/notify';
import { formatBytes } from '../../format';
import { ArrowButton } from '../ArrowButton';
import { Fact } from '../bits';
import { cutShare, keptBox } from '../cut';
import { CropEditor } from './CropEditor';
import { sizeText } from './PhotoTile';
import { editPicture } from './store';
import { useZoom } from './useZoom';

const ZOOM_STEP = 1.5;

interface StageProps {
  readonly image: ImageInfo;
  readonly place: Place | null;
}

/** The picture itself, with what training will see of it. */
function Stage({ image, place }: StageProps) {
  const { zoom, zoomBy, reset, handlers } = useZoom();
  useHotkeys([
    ['+', () => zoomBy(ZOOM_STEP)],
    ['-', () => zoomBy(1 / ZOOM_STEP)],
    ['0', reset],
  ]);
  return (
    <div className="large-stage">
      <div className="large-surface" data-zoomed={zoom.scale > 1 || undefined} {...handlers}>
        <div
          className="large-picture"
          style={{ transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
        >
          <img src={largeUrl(image.id, 'edited')} alt={image.name} draggable={false} />
          {place !== null && (
            <div className="large-kept" style={keptBox(place.crop, place.bucket, place.resized)} />
          )}
        </div>
      </div>
      <div className="large-zoom">
        <ActionIcon variant="default" aria-label="Zoom out" onClick={() => zoomBy(1 / ZOOM_STEP)}>
          <IconZoomOut size={16} aria-hidden />
        </ActionIcon>
        <Button variant="default" size="compact-sm" aria-label="Whole picture" onClick={reset}>
          {Math.round(zoom.scale * 100)} %
        </Button>
        <ActionIcon variant="default" aria-label="Zoom in" onClick={() => zoomBy(ZOOM_STEP)}>
          <IconZoomIn size={16} aria-hidden />
        </ActionIcon>
      </div>
    </div>
  );
}

function cutText({ resized, bucket }: Place): string {
  const share = Math.round(100 * cutShare(resized, bucket));
  return share === 0 ? 'Nothing' : `${share} %`;
}

function About({ image, place }: StageProps) {
  return (
    <dl className="facts">
      <Fact label="Size">{sizeText(image)}</Fact>
      <Fact label="File">
        {formatBytes(image.bytes)} {image.facts?.format.toUpperCase()}
      </Fact>
      {place !== null && (
        <>
          <Fact label="Bucket">
            {place.bucket[0]} × {place.bucket[1]}
          </Fact>
          <Fact label="Cut away">{cutText(place)}</Fact>
          <Fact label="Enlarged">{place.enlarged ? 'Yes: too small for its bucket' : 'No'}</Fact>
        </>
      )}
      <Fact label="Caption">{image.caption ?? 'None yet'}</Fact>
    </dl>
  );
}

interface LargeViewProps {
  readonly images: readonly ImageInfo[];
  readonly index: number;
  readonly placeOf: (image: ImageInfo) => Place | null;
  readonly onShow: (path: string) => void;
  readonly onClose: () => void;
}

/** One picture, large: zoomed, turned, cropped, and as training will see it. */
export function LargeView({ images, index, placeOf, onShow, onClose }: LargeViewProps) {
  const [cropping, setCropping] = useState(false);
  const [asTrained, setAsTrained] = useState(true);
  const image = images[index];
  const go = (by: number) => {
    const next = images[index + by];
    if (next !== undefined && !cropping) onShow(next.path);
  };
  useHotkeys([
    ['ArrowLeft', () => go(-1)],
    ['ArrowRight', () => go(1)],
  ]);
  if (image === undefined) return null;
  const place = placeOf(image);
  const usable = image.facts?.problem === null;
  const edit = image.edit ?? noEdit;

  const arrow = (label: string, by: number, Arrow: Icon) => (
    <ArrowButton
      label={label}
      Arrow={Arrow}
      unavailable={images[index + by] === undefined || cropping}
      onClick={() => go(by)}
    />
  );
  return (
    <Modal.Root
      opened
      onClose={cropping ? () => setCropping(false) : onClose}
      size="min(100vw - 64px, 1600px)"
      centered
      lockScroll={false}
    >
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className="large-view">
          <div className="dialog-head">
            <Modal.Title className="main-title large-name">{image.name}</Modal.Title>
            {arrow('Previous image', -1, IconArrowLeft)}
            <span className="numbers large-count">
              {index + 1} of {images.length}
            </span>
            {arrow('Next image', 1, IconArrowRight)}
            <Modal.CloseButton aria-label="Close" />
          </div>
          {cropping ? (
            <CropEditor key={image.id} image={image} onDone={() => setCropping(false)} />
          ) : (
            <div className="large-columns">
              <Stage key={image.path} image={image} place={asTrained ? place : null} />
              <div className="large-about" tabIndex={0} role="group" aria-label="About this image">
                <About image={image} place={place} />
                <Switch
                  label="Show what training sees"
                  checked={asTrained}
                  onChange={(event) => setAsTrained(event.currentTarget.checked)}
                />
                {usable && (
                  <>
                    <Button
                      variant="default"
                      leftSection={<IconRotateClockwise size={16} aria-hidden />}
                      onClick={() => attempt(() => editPicture(image, turnedRight(edit)))}
                    >
                      Turn right
                    </Button>
                    <Button
                      variant="default"
                      leftSection={<IconCrop size={16} aria-hidden />}
                      onClick={() => setCropping(true)}
                    >
                      Crop
                    </Button>
                  </>
                )}
                {image.edit !== null && (
                  <Button
                    variant="subtle"
                    color="gray"
                    leftSection={<IconRestore size={16} aria-hidden />}
                    onClick={() => attempt(() => editPicture(image, noEdit))}
                  >
                    Back to the original
                  </Button>
                )}
              </div>
            </div>
          )}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
