import { join } from 'node:path';
import { dataDir } from '../paths.mjs';
import { requireDiskSpace } from './disk.mjs';
import { electronStage } from './electron.mjs';
import { withLock } from './lock.mjs';
import { clipStage, portraitStage, sampleStage } from './materials.mjs';
import { npmStage } from './npm.mjs';
import { pythonStage } from './python.mjs';
import { StageReport } from './report.mjs';
import { systemStage } from './system.mjs';

/** All stages in order. A stage: title, bytes it needs on the disk, isDone(), run(report). */
function stages(root, needs) {
  return [
    systemStage(root, needs),
    npmStage(root),
    pythonStage(root, {
      title: 'Python packages',
      requirements: 'requirements.txt',
      bytes: 4.6e9,
    }),
    needs.tests &&
      pythonStage(root, {
        title: 'Python packages of the tests',
        requirements: 'requirements-dev.txt',
        bytes: 200e6,
      }),
    needs.window && electronStage(root),
    clipStage(root),
    sampleStage(root),
    needs.tests && portraitStage(root),
  ].filter(Boolean);
}

/**
 * Runs every stage that is not done.
 * @param needs.window an Electron that can open one; needs.virtualDisplay: a display to open it on; needs.tests.
 */
export async function bringUpToDate(root, needs) {
  const all = stages(root, needs);
  const open = all.filter((stage) => !stage.isDone());
  if (open.length === 0) return;
  requireDiskSpace(
    root,
    open.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  await withLock(join(dataDir(root), 'setup.lock'), async () => {
    for (const stage of open) await runStage(stage);
  });
}

export async function runStage({ title, run }) {
  const report = new StageReport(title);
  try {
    await run(report);
    report.done();
  } catch (error) {
    report.failed();
    throw error;
  }
}
