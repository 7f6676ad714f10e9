import { Button, Slider, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import type { LossPoint, ValidationPoint } from '../../../shared/job-view';
import { formatCount, formatLoss } from '../../format';
import { LossChart, type ChartHandle, type Reading } from './LossChart';
import { useTraining } from './store';

interface LossPanelProps {
  readonly points: readonly LossPoint[];
  readonly validations: readonly ValidationPoint[];
  readonly over: boolean;
}

/** `Step 40: 0.1234, smoothed 0.1200`, with the average and the validation loss where there is one. */
function readingText({ step, raw, smoothed, average, validation }: Reading): string {
  const named = Object.entries({ smoothed, average, validation });
  const known = named.filter(([name, loss]) => loss !== null || name === 'smoothed');
  return [
    `Step ${formatCount(step)}: ${formatLoss(raw)}`,
    ...known.map(([name, loss]) => `${name} ${formatLoss(loss)}`),
  ].join(', ');
}

export function LossPanel({ points, validations, over }: LossPanelProps) {
  const smoothing = useTraining((state) => state.smoothing);
  const [reading, setReading] = useState<Reading | null>(null);
  const [zoomed, setZoomed] = useState(false);
  const chart = useRef<ChartHandle>(null);
  const validation = validations.at(-1);
  const average = points.at(-1)?.averageLoss ?? null;

  return (
    <section className="panel loss-panel" aria-label="Loss">
      <header className="panel-head">
        <h3 className="panel-title">Loss</h3>
        <span className="legend raw">Each step</span>
        <span className="legend smoothed">Smoothed</span>
        {average !== null && <span className="legend average">Average</span>}
        {validation && (
          <span className="legend validation numbers">
            Validation {formatLoss(validation.loss)}
          </span>
        )}
        <span className="reading numbers" aria-live="off">
          {reading && readingText(reading)}
        </span>
        <div className="smoothing">
          <span aria-hidden>Smoothing</span>
          <Slider
            w={90}
            size="sm"
            min={0}
            max={0.99}
            step={0.01}
            label={(value) => value.toFixed(2)}
            value={smoothing}
            thumbLabel="Smoothing"
            onChange={(value) => useTraining.setState({ smoothing: value })}
          />
        </div>
        <Button
          size="compact-xs"
          variant="default"
          disabled={!zoomed}
          onClick={() => chart.current?.resetZoom()}
        >
          Reset zoom
        </Button>
      </header>
      <div className="chart-frame">
        <LossChart
          ref={chart}
          points={points}
          validations={validations}
          smoothing={smoothing}
          onReading={setReading}
          onZoom={setZoomed}
        />
        {points.length === 0 && (
          <Text size="sm" c="dimmed" className="chart-empty">
            {over
              ? 'This run ended before its first step.'
              : 'The curve begins with the first step.'}
          </Text>
        )}
      </div>
    </section>
  );
}
