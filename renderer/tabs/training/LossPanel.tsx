import { Button, Slider, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import type { LossPoint } from '../../../shared/job-view';
import { formatCount, formatLoss } from '../../format';
import { LossChart, type ChartHandle, type Reading } from './LossChart';
import { useTraining } from './store';

interface LossPanelProps {
  readonly points: readonly LossPoint[];
  readonly over: boolean;
}

export function LossPanel({ points, over }: LossPanelProps) {
  const smoothing = useTraining((state) => state.smoothing);
  const [reading, setReading] = useState<Reading | null>(null);
  const [zoomed, setZoomed] = useState(false);
  const chart = useRef<ChartHandle>(null);

  return (
    <section className="panel loss-panel" aria-label="Loss">
      <header className="panel-head">
        <h3 className="panel-title">Loss</h3>
        <span className="legend raw">Each step</span>
        <span className="legend smoothed">Smoothed</span>
        <span className="reading numbers" aria-live="off">
          {reading &&
            `Step ${formatCount(reading.step)}: ${formatLoss(reading.raw)}, smoothed ${formatLoss(reading.smoothed)}`}
        </span>
        <div className="smoothing">
          <span aria-hidden>Smoothing</span>
          <Slider
            w={110}
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
