import { Button, Modal } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import {
  IconArrowDown,
  IconArrowLeft,
  IconArrowRight,
  IconArrowUp,
  IconCopy,
  IconFolderOpen,
  type Icon,
} from '@tabler/icons-react';
import { useState } from 'react';
import { call, sampleUrl } from '../../api';
import { attempt } from '../../app/notify';
import { ArrowButton } from '../../components/ArrowButton';
import { Fact } from '../../components/bits';
import { formatRate } from '../../format';
import {
  describeSample,
  nextPicture,
  promptLine,
  sampleName,
  stepName,
  type Direction,
  type Place,
  type Sample,
  type SampleTable,
} from './samples';

function Facts({ sample }: { readonly sample: Sample }) {
  return (
    <dl className="facts sample-facts">
      <Fact label="Prompt">{sample.prompt}</Fact>
      <Fact label="Negative">{sample.negativePrompt || '–'}</Fact>
      <Fact label="Seed">{sample.seed}</Fact>
      <Fact label="Size">
        {sample.width} × {sample.height}
      </Fact>
      <Fact label="Steps">{sample.sampleSteps}</Fact>
      <Fact label="CFG scale">{formatRate(sample.cfgScale)}</Fact>
      <Fact label="Sampler">{sample.sampler}</Fact>
    </dl>
  );
}

function CopyButton({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () =>
    attempt(async () => {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    });
  return (
    <Button variant="default" leftSection={<IconCopy size={16} aria-hidden />} onClick={copy}>
      {copied ? 'Copied' : 'Copy prompt line'}
    </Button>
  );
}

interface SampleViewProps {
  readonly jobId: string;
  readonly table: SampleTable;
  readonly place: Place;
  readonly sample: Sample;
  readonly onMove: (place: Place) => void;
  readonly onClose: () => void;
}

/** One sample, large. Left and right go through time, up and down through the prompts. */
export function SampleView(props: SampleViewProps) {
  const { jobId, table, place, sample, onMove, onClose } = props;
  const go = (towards: Direction) => {
    const next = nextPicture(table, place, towards);
    if (next !== null) onMove(next);
  };
  useHotkeys([
    ['ArrowLeft', () => go('left')],
    ['ArrowRight', () => go('right')],
    ['ArrowUp', () => go('up')],
    ['ArrowDown', () => go('down')],
    ['Home', () => go('first')],
    ['End', () => go('last')],
  ]);
  const arrow = (label: string, towards: Direction, Arrow: Icon) => (
    <ArrowButton
      label={label}
      Arrow={Arrow}
      unavailable={nextPicture(table, place, towards) === null}
      onClick={() => go(towards)}
    />
  );

  return (
    <Modal.Root
      opened
      onClose={onClose}
      size="min(100vw - 64px, 1440px)"
      centered
      returnFocus={false}
      // Nothing behind it scrolls, and the lock would need a style element without a nonce.
      lockScroll={false}
    >
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className="sample-view">
          <div className="sample-large">
            <img src={sampleUrl(jobId, sample.seq, 'whole')} alt={describeSample(sample)} />
          </div>
          <div className="sample-about">
            <div className="sample-title">
              <Modal.Title className="main-title" aria-live="polite">
                {sampleName(sample)}
              </Modal.Title>
              <Modal.CloseButton aria-label="Close" />
            </div>
            <div className="sample-ways">
              {arrow('Earlier', 'left', IconArrowLeft)}
              <span className="numbers">
                {stepName(sample.step)}
                {sample.epoch > 0 && <small>epoch {sample.epoch}</small>}
              </span>
              {arrow('Later', 'right', IconArrowRight)}
              {arrow('Previous prompt', 'up', IconArrowUp)}
              <span className="numbers">
                Prompt {sample.index + 1} of {table.rows.length}
              </span>
              {arrow('Next prompt', 'down', IconArrowDown)}
            </div>
            <div className="sample-details" tabIndex={0} role="group" aria-label="How it was drawn">
              <Facts sample={sample} />
            </div>
            <div className="sample-actions">
              <CopyButton key={sample.seq} text={promptLine(sample)} />
              <Button
                variant="subtle"
                color="gray"
                leftSection={<IconFolderOpen size={16} aria-hidden />}
                onClick={() => attempt(() => call('jobs:reveal', { jobId, path: sample.path }))}
              >
                Show in folder
              </Button>
            </div>
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
