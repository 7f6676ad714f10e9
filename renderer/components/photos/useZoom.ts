import { useCallback, useState, type PointerEvent, type WheelEvent } from 'react';

const LARGEST = 16;
const WHEEL_SPEED = 0.002;

export interface Zoom {
  /** 1 shows the whole picture. */
  readonly scale: number;
  /** By how much the picture is moved from the middle, in pixels. */
  readonly x: number;
  readonly y: number;
}

const whole: Zoom = { scale: 1, x: 0, y: 0 };

/** The zoom after it was changed by a factor around a point, which stays where it is. */
export function zoomedAround(
  { scale, x, y }: Zoom,
  factor: number,
  atX: number,
  atY: number,
): Zoom {
  const next = Math.min(LARGEST, Math.max(1, scale * factor));
  if (next === 1) return whole;
  const change = next / scale;
  return { scale: next, x: atX - (atX - x) * change, y: atY - (atY - y) * change };
}

/** Zoom by wheel and buttons, moved by dragging. */
export function useZoom() {
  const [zoom, setZoom] = useState(whole);
  const zoomBy = useCallback(
    (factor: number) => setZoom((before) => zoomedAround(before, factor, 0, 0)),
    [],
  );
  const reset = useCallback(() => setZoom(whole), []);
  const onWheel = (event: WheelEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const atX = event.clientX - box.left - box.width / 2;
    const atY = event.clientY - box.top - box.height / 2;
    const factor = Math.exp(-event.deltaY * WHEEL_SPEED);
    setZoom((before) => zoomedAround(before, factor, atX, atY));
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) =>
    event.currentTarget.setPointerCapture(event.pointerId);
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    setZoom((before) =>
      before.scale === 1
        ? before
        : { ...before, x: before.x + event.movementX, y: before.y + event.movementY },
    );
  };
  return { zoom, zoomBy, reset, handlers: { onWheel, onPointerDown, onPointerMove } };
}
