import type { Balance } from '../../shared/dataset-answers';
import { balanceFolder, planBalance, rootOf } from './balancing';
import type { FolderHistory } from './folder-history';
import { renameFolder, setAside } from './moving';
import type { Preparation } from './preparation';

/** What is done to the folders of a project beside preparing it: nothing is deleted, and all of it can be undone. */
export class DatasetFolders {
  constructor(
    private readonly history: FolderHistory,
    private readonly preparation: Preparation,
  ) {}

  async setAside(destination: string, folders: readonly string[]): Promise<void> {
    this.preparation.refuseWhileRunning();
    await setAside(this.history, destination, folders);
  }

  async rename(destination: string, from: string, to: string): Promise<void> {
    this.preparation.refuseWhileRunning();
    await renameFolder(this.history, destination, from, to);
  }

  async planBalance(folder: string, steps: number): Promise<Balance> {
    const rows = await planBalance(folder, steps);
    return { folder, rows, lastChange: await this.history.describeLast(rootOf(folder)) };
  }

  /** @returns how many folders were renamed */
  async balance(folder: string, steps: number): Promise<number> {
    this.preparation.refuseWhileRunning();
    return balanceFolder(this.history, folder, steps);
  }
}
