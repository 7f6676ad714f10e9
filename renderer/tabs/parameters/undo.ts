import { useHotkeys } from '@mantine/hooks';
import { useEffect, type RefObject } from 'react';
import type { ParameterKey } from '../../../shared/parameters';
import { redo, undo } from '../../app/project';
import { keepShown } from './store';

/** Undo and redo where the parameters are on the screen: what has changed comes into sight, the focus stays. */

export const elementOf = (key: ParameterKey): HTMLElement | null =>
  document.querySelector<HTMLElement>(`[data-field="${key}"]`);

function show(key: ParameterKey | null): void {
  if (key === null) return;
  // Back at its default, the Simple view would hide it in the moment it changes.
  keepShown(key);
  requestAnimationFrame(() => elementOf(key)?.scrollIntoView({ block: 'nearest' }));
}

export const undoShown = (): void => show(undo());
export const redoShown = (): void => show(redo());

/** Text that is no parameter keeps the browser's own undo, and so does a question in front of the tab. */
function isOurs(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return true;
  if (target.closest('[role="dialog"]') !== null) return false;
  return !target.matches('input, textarea') || target.closest('.parameter') !== null;
}

const onKey = (step: () => void) => (event: KeyboardEvent) => {
  if (!isOurs(event.target)) return;
  event.preventDefault();
  step();
};

const native = { preventDefault: false } as const;

/** The keys, and the Edit menu, whose Undo reaches a field as an input of its own kind. */
export function useUndoKeys(column: RefObject<HTMLElement | null>): void {
  useHotkeys(
    [
      ['mod+Z', onKey(undoShown), native],
      ['mod+shift+Z', onKey(redoShown), native],
      ['mod+Y', onKey(redoShown), native],
    ],
    [],
  );
  useEffect(() => {
    const element = column.current;
    const onInput = (event: InputEvent) => {
      if (event.inputType !== 'historyUndo' && event.inputType !== 'historyRedo') return;
      event.preventDefault();
      if (event.inputType === 'historyUndo') undoShown();
      else redoShown();
    };
    element?.addEventListener('beforeinput', onInput);
    return () => element?.removeEventListener('beforeinput', onInput);
  }, [column]);
}
