import { resolve } from 'node:path';
import { balanceFolder, planBalance, rootOf } from '../services/balancing';
import { undoLast } from '../services/undoing';
import type { Context } from './context';
import { createHistory, printUndone } from './prepare';
import { print } from './print';

export interface BalanceOptions {
  readonly steps: number;
  readonly apply: boolean;
  readonly undo: boolean;
}

/** `balance FOLDER`: repeats that give every `<repeats>_<name>` folder as many steps. Only shown without `--apply`. */
export async function balanceCommand(
  context: Context,
  given: string,
  { steps, apply, undo }: BalanceOptions,
): Promise<number> {
  const folder = resolve(given);
  const history = createHistory(context);
  if (undo) {
    printUndone(await undoLast(history, rootOf(folder)));
    return 0;
  }
  for (const { name, images, newRepeats, newName, problem } of await planBalance(folder, steps))
    print(
      `${name}: ${String(images)} images, ` +
        (problem ??
          (name === newName
            ? 'stays'
            : `becomes ${newName}, ${String(images * newRepeats)} steps`)),
    );
  if (!apply) {
    print('Nothing was renamed. Add --apply to do it.');
    return 0;
  }
  print(`Renamed ${String(await balanceFolder(history, folder, steps))} folders.`);
  return 0;
}
