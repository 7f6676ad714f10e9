// The commands that package.json names, after the check of the Node version.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot, venvPython } from '../paths.mjs';
import { appStage } from './app.mjs';
import { currentElectron } from './electron.mjs';
import { SetupFailure } from './failure.mjs';
import { cleanEnvironment } from './run.mjs';
import { bringUpToDate, runStage } from './stages.mjs';
import { hasDisplay, requireSandbox } from './system.mjs';

/** Runs a command to its end and turns what a person can mend into a sentence and an exit code. */
const command =
  (body) =>
  async (...args) => {
    try {
      await body(...args);
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      console.error(`\n${error.message}\n${error.hint}`);
      process.exitCode = 1;
    }
  };

async function prepare(needs) {
  await bringUpToDate(projectRoot, needs);
  const app = appStage(projectRoot);
  if (!app.isDone()) await runStage(app);
}

/** What the tests need, whoever asks; a window where there is no display needs a virtual one. */
const testNeeds = () => ({ tests: true, window: true, virtualDisplay: !hasDisplay() });

/** Set-up alone. */
export const setUp = command(({ tests }) =>
  bringUpToDate(projectRoot, tests ? testNeeds() : { window: hasDisplay() }),
);

export const start = command(async (args) => {
  if (!hasDisplay()) {
    console.log('There is no display here, so the sample project is trained in this terminal.\n');
    await prepare({ window: false });
    process.exitCode = await cli(['train', '--sample']);
    return;
  }
  await prepare({ window: true });
  const { executable } = currentElectron(projectRoot);
  requireSandbox(executable);
  // Chromium refuses to run as root with its sandbox; nobody else loses it.
  const isRoot = process.platform === 'linux' && process.getuid() === 0;
  const switches = isRoot ? ['--no-sandbox'] : [];
  process.exitCode = await attached(executable, [...switches, projectRoot, ...args]);
});

export const build = command(() => prepare({ window: false }));

export const atelier = command(async (args) => {
  await prepare({ window: false });
  process.exitCode = await cli(args);
});

export const test = command(async (args) => {
  await bringUpToDate(projectRoot, testNeeds());
  const { runSuites } = await import('./suites.mjs');
  process.exitCode = (await runSuites(projectRoot, args)) ? 0 : 1;
});

export const testFullSize = command(async (args) => {
  await bringUpToDate(projectRoot, { window: false });
  const script = join(projectRoot, 'build', 'full_size.py');
  process.exitCode = await attached(venvPython(projectRoot), [script, ...args]);
});

export const measureMemory = command(async (args) => {
  await bringUpToDate(projectRoot, { window: false });
  const script = join(projectRoot, 'build', 'measure_memory.py');
  process.exitCode = await attached(venvPython(projectRoot), [script, ...args]);
});

export const buildTinyWorld = command(async (args) => {
  await bringUpToDate(projectRoot, { window: false });
  const script = join(projectRoot, 'build', 'tiny-world', 'build.py');
  process.exitCode = await attached(venvPython(projectRoot), [script, ...args]);
});

export const quality = command(async (args) => {
  await bringUpToDate(projectRoot, testNeeds());
  const { qualityCommand } = await import('./suites.mjs');
  const [program, ...own] = qualityCommand(projectRoot, args);
  process.exitCode = await attached(program, own);
});

export const screenshots = command(async () => {
  await bringUpToDate(projectRoot, testNeeds());
  const { screenshotCommand } = await import('./suites.mjs');
  const [program, ...args] = screenshotCommand(projectRoot);
  process.exitCode = await attached(program, args);
});

export const benchUi = command(async () => {
  await bringUpToDate(projectRoot, testNeeds());
  const { benchCommand } = await import('./suites.mjs');
  const [program, ...args] = benchCommand(projectRoot);
  process.exitCode = await attached(program, args);
});

export const benchCaptions = command(async (args) => {
  await bringUpToDate(projectRoot, { window: false });
  const script = join(projectRoot, 'build', 'bench_captions.py');
  process.exitCode = await attached(venvPython(projectRoot), [script, ...args]);
});

const cli = (args) =>
  attached(process.execPath, [join(projectRoot, 'dist/electron/cli.cjs'), ...args]);

/** Runs a program on this terminal and gives its exit code. Ctrl-C reaches it too, and it decides what to save. */
async function attached(program, args) {
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const child = spawn(program, args, { stdio: 'inherit', env: cleanEnvironment() });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, signal) => resolve(signal === null ? exitCode : 1));
  });
  process.off('SIGINT', ignore);
  return code;
}
