import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  _electron,
  test as base,
  type ElectronApplication,
  type Page,
  type TestInfo,
} from '@playwright/test';
import { electronRecord, projectRoot } from '../../../build/paths.mjs';

export const root = projectRoot;

interface Runtime {
  readonly executable: string;
}

const runtime = JSON.parse(readFileSync(electronRecord(root), 'utf8')) as Runtime;

/** Runs the command after it with mounts that only it sees. */
const ownMounts = ['unshare', '--map-root-user', '--mount', 'sh', '-c'] as const;

/** `"$@"` after some mounts, to be put in front of a command. */
export const withMounts = (mounts: string): readonly string[] => [
  ...ownMounts,
  `${mounts} && exec "$@"`,
  'sh',
];

/** A container may forbid mounts of one's own: then no disk can be made full, and the runner names what was skipped. */
export const canMount = (): boolean => {
  const [program, ...args] = [...ownMounts, 'true'];
  return spawnSync(program, args).status === 0;
};

export const noMounts = 'This machine allows no mounts of one’s own.';

export interface LaunchOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A folder of an earlier launch; a fresh one when left out. */
  readonly userData?: string;
  /** Shell commands that run as root of a namespace of its own before the app does: for disks that are full or closed. */
  readonly mounts?: string;
}

/** The real app in a real window, with a home and settings of its own. */
export interface Atelier {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly userData: string;
  readonly close: () => Promise<void>;
}

export async function launch(home: string, options: LaunchOptions = {}): Promise<Atelier> {
  const userData = options.userData ?? join(home, 'user-data');
  const asRoot =
    options.mounts !== undefined || (process.platform === 'linux' && process.getuid?.() === 0);
  const executablePath =
    options.mounts === undefined
      ? runtime.executable
      : await writeLauncher(join(home, 'launch.sh'), options.mounts);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && name !== 'ELECTRON_RUN_AS_NODE') env[name] = value;
  const app = await _electron.launch({
    executablePath,
    args: [...(asRoot ? ['--no-sandbox'] : []), root, `--user-data-dir=${userData}`],
    cwd: root,
    env: { ...env, HOME: home, USERPROFILE: home, ...options.env },
  });
  const page = await app.firstWindow();
  await page.getByRole('tab', { name: 'Dataset Preparation' }).waitFor();
  let open = true;
  app.on('close', () => {
    open = false;
  });
  const close = async () => {
    if (!open) return;
    await answerMessageBox(app, 0);
    await app.close();
  };
  return { app, page, userData, close };
}

/** A script that starts the app in a mount namespace of its own. */
async function writeLauncher(file: string, mounts: string): Promise<string> {
  const command = [...withMounts(mounts), runtime.executable].map((word) => `'${word}'`).join(' ');
  await writeFile(file, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return file;
}

/** The next native "open" dialogs answer with this path, or with Cancel. */
export async function answerOpenDialog(app: ElectronApplication, path: string | null) {
  await app.evaluate(({ dialog }, answer) => {
    dialog.showOpenDialog = () =>
      Promise.resolve({
        canceled: answer === null,
        filePaths: answer === null ? [] : [answer],
      });
  }, path);
}

/** The next native "save" dialogs answer with this path, or with Cancel. */
export async function answerSaveDialog(app: ElectronApplication, path: string | null) {
  await app.evaluate(({ dialog }, answer) => {
    dialog.showSaveDialog = () =>
      Promise.resolve({ canceled: answer === null, filePath: answer ?? '' });
  }, path);
}

async function answerMessageBox(app: ElectronApplication, response: number) {
  await app.evaluate(({ dialog }, answer) => {
    dialog.showMessageBox = () => Promise.resolve({ response: answer, checkboxChecked: false });
  }, response);
}

async function attachEvidence(info: TestInfo, home: string, pages: readonly Page[]) {
  for (const page of pages)
    if (!page.isClosed())
      await info.attach('window', { body: await page.screenshot(), contentType: 'image/png' });
  const logs = join(home, 'user-data', 'logs');
  for (const name of await readdir(logs).catch(() => []))
    await info.attach(name, { body: await readFile(join(logs, name)), contentType: 'text/plain' });
}

interface Fixtures {
  readonly home: string;
  readonly atelier: Atelier;
}

export const test = base.extend<Fixtures>({
  home: async ({}, use) => {
    const home = await mkdtemp(join(tmpdir(), 'atelier-e2e-'));
    await use(home);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  },
  atelier: async ({ home }, use, info) => {
    const atelier = await launch(home);
    await use(atelier);
    if (info.status !== info.expectedStatus) await attachEvidence(info, home, [atelier.page]);
    await atelier.close();
  },
});

export { expect } from '@playwright/test';
