import { useEffect, useImperativeHandle, useMemo, useRef, type Ref } from 'react';
import UPlot from 'uplot';
import type { LossPoint, ValidationPoint } from '../../../shared/job-view';
import { formatLoss } from '../../format';
import {
  atSteps,
  curveOf,
  decimate,
  pick,
  smooth,
  visibleRange,
  withValues,
  type Curve,
} from './curve';

/** More points than this are thinned out before they are drawn. */
const MOST_POINTS = 5000;

export interface Reading {
  readonly step: number;
  readonly raw: number | null;
  readonly smoothed: number | null;
  /** Null where it is not known. */
  readonly average: number | null;
  /** Null where it was not computed. */
  readonly validation: number | null;
}

export interface ChartHandle {
  readonly resetZoom: () => void;
}

interface LossChartProps {
  readonly ref: Ref<ChartHandle>;
  readonly points: readonly LossPoint[];
  readonly validations: readonly ValidationPoint[];
  readonly smoothing: number;
  readonly onReading: (reading: Reading | null) => void;
  readonly onZoom: (zoomed: boolean) => void;
}

interface Hooks {
  readonly onSelect: (from: number, to: number) => void;
  readonly onReset: () => void;
  readonly onReading: (reading: Reading | null) => void;
}

/** A colour of the theme, asked for at each drawing: the theme may have changed since the last. */
const token = (element: Element, name: string) => () =>
  getComputedStyle(element).getPropertyValue(name).trim();

function readingAt(plot: UPlot): Reading | null {
  const index = plot.cursor.idx;
  if (index === null || index === undefined) return null;
  const step = plot.data[0][index];
  if (step === undefined) return null;
  const [raw = null, smoothed = null, average = null, validation = null] = plot.data
    .slice(1)
    .map((values) => values[index] ?? null);
  return { step, raw, smoothed, average, validation };
}

/** Distances between two marks on the axis of steps: there are no half steps. */
const wholeSteps = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((unit) => [unit, 2 * unit, 5 * unit]);

/** An empty chart gets the axes that the first losses will most likely need, so that nothing jumps. */
const rangeOfLoss = (_: UPlot, min: number | null, max: number | null): [number, number] => {
  if (min === null || max === null) return [0, 0.2];
  const [low, high] = UPlot.rangeNum(min, max, 0.1, true);
  return [low ?? min, high ?? max];
};

function createPlot(frame: HTMLElement, hooks: Hooks): UPlot {
  const axis = {
    stroke: token(frame, '--text-dim'),
    grid: { stroke: token(frame, '--line-soft'), width: 1 },
    ticks: { show: false },
    font: '12px "Inter Variable", system-ui, sans-serif',
  };
  const line = { points: { show: false }, spanGaps: false };
  return new UPlot(
    {
      width: frame.clientWidth,
      height: frame.clientHeight,
      legend: { show: false },
      padding: [12, 24, 0, 0],
      scales: { x: { time: false }, y: { range: rangeOfLoss } },
      axes: [
        { ...axis, size: 32, incrs: wholeSteps },
        { ...axis, size: 60 },
      ],
      series: [
        {},
        { ...line, stroke: token(frame, '--chart-raw'), width: 1 },
        { ...line, stroke: token(frame, '--chart-smoothed'), width: 2, spanGaps: true },
        { ...line, stroke: token(frame, '--chart-average'), width: 1.5, dash: [6, 4] },
        {
          stroke: token(frame, '--chart-validation'),
          width: 2,
          spanGaps: true,
          points: { show: true, size: 7, fill: token(frame, '--chart-validation') },
        },
      ],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => (hooks.onReset(), null) },
      },
      hooks: {
        setCursor: [(plot) => hooks.onReading(readingAt(plot))],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            hooks.onSelect(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          },
        ],
      },
    },
    [[], [], [], [], []],
    frame,
  );
}

interface Curves extends Curve {
  readonly smoothed: Float64Array;
  readonly validation: Float64Array;
}

/** Draws what lies within `zoom` (all of it when null), thinned to what a screen can show. */
function draw(plot: UPlot, curves: Curves, zoom: readonly [number, number] | null): void {
  const { steps, raw, smoothed, average, validation } = curves;
  const first = steps[0] ?? 0;
  const last = Math.max(steps.at(-1) ?? 100, first + 10);
  const [min, max] = zoom ?? [first, last];
  const [start, end] = visibleRange(steps, min, max);
  const [from, to] = [Math.max(0, start - 1), Math.min(steps.length, end + 1)];
  const shown = withValues(decimate(raw, from, to, MOST_POINTS), validation, from, to);
  plot.batch(() => {
    plot.setData(
      [
        shown.map((index) => steps[index] ?? 0),
        ...[raw, smoothed, average, validation].map((values) => pick(values, shown)),
      ],
      false,
    );
    plot.setScale('x', { min, max });
  });
}

/** What the chart shows, in words. */
function describe(
  latest: LossPoint | undefined,
  smoothed = NaN,
  validation: ValidationPoint | undefined,
): string {
  if (latest === undefined) return 'Loss chart, empty so far.';
  const text = `Loss chart up to step ${latest.step}. Smoothed loss ${smoothed.toFixed(4)}.`;
  return validation === undefined
    ? text
    : `${text} Validation loss ${formatLoss(validation.loss)} after step ${validation.step}.`;
}

/**
 * The loss at every step, smoothed, and averaged over an epoch, and that of the pictures that were kept back. Drag to zoom, double-click to see
 * all again.
 */
export function LossChart(props: LossChartProps) {
  const { ref, points, validations, smoothing, onReading, onZoom } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const zoom = useRef<readonly [number, number] | null>(null);
  const curve = useMemo(() => curveOf(points), [points]);
  const smoothed = useMemo(() => smooth(curve.raw, smoothing), [curve, smoothing]);
  const validation = useMemo(() => atSteps(curve.steps, validations), [curve, validations]);
  const redraw = useRef<() => void>(() => undefined);
  const zoomTo = useRef((range: readonly [number, number] | null) => {
    zoom.current = range;
    onZoom(range !== null);
    redraw.current();
  });

  useImperativeHandle(ref, () => ({ resetZoom: () => zoomTo.current(null) }), []);

  useEffect(() => {
    redraw.current = () => {
      if (plot.current !== null)
        draw(plot.current, { ...curve, smoothed, validation }, zoom.current);
    };
    redraw.current();
  }, [curve, smoothed, validation]);

  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const created = createPlot(element, {
      onSelect: (from, to) => zoomTo.current([from, to]),
      onReset: () => zoomTo.current(null),
      onReading,
    });
    plot.current = created;
    redraw.current();
    const observer = new ResizeObserver(() =>
      created.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    const theme = new MutationObserver(() => created.redraw(false));
    theme.observe(document.documentElement, {
      attributeFilter: ['data-mantine-color-scheme'],
    });
    return () => {
      observer.disconnect();
      theme.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [onReading]);

  return (
    <div
      ref={frame}
      className="chart"
      role="img"
      aria-label={describe(points.at(-1), smoothed.at(-1), validations.at(-1))}
    />
  );
}
