import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataDir } from '../../build/paths.mjs';
import { expect, root, test } from './support/app';
import { atelier, portraitPhotos } from './support/sample';

const PICTURES = 300;
const KILLS = 15;

/** Small pictures, and a caption beside each third. */
async function manyPictures(folder: string) {
  await mkdir(folder);
  const sample = join(dataDir(root), 'sample', 'photos');
  const source = await readdir(sample).catch(() => []);
  const [first] = source.filter((name) => /\.(?:png|jpg)$/u.test(name));
  const picture = first === undefined ? join(portraitPhotos, 'a.jpg') : join(sample, first);
  for (let index = 0; index < PICTURES; index += 1) {
    await cp(picture, join(folder, `${String(index)}.png`));
    if (index % 3 === 0) await cp(join(root, 'LICENSE'), join(folder, `${String(index)}.txt`));
  }
}

/** Waits for the first copy, and a little longer. */
async function killMidway(args: readonly string[], env: NodeJS.ProcessEnv, target: string) {
  const child = spawn(process.execPath, [join(root, 'dist', 'electron', 'cli.cjs'), ...args], {
    env,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (child.exitCode === null && !(await stat(target).catch(() => null))) await sleep(1);
  await sleep(Math.random() * 80);
  child.kill('SIGKILL');
  await ended;
}

test('a preparation that is killed leaves no half file under a final name, and another completes it', async ({
  home,
}) => {
  test.setTimeout(600_000);
  const photos = join(home, 'photos');
  await manyPictures(photos);
  const data = join(home, 'data');
  await cp(join(dataDir(root), 'clip-tokenizer'), join(data, 'clip-tokenizer'), {
    recursive: true,
  });
  const env = { ...process.env, ATELIER_DATA_DIR: data };
  const options = ['--instance-prompt', 'many', '--class-prompt', 'things', '--images', photos];
  const contents = new Map<string, Buffer>();
  for (const name of await readdir(photos)) contents.set(name, await readFile(join(photos, name)));
  let midway = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const destination = join(home, `project-${String(kill)}`);
    const target = join(destination, 'img', '20_many things');
    await killMidway(['prepare', destination, ...options], env, target);
    const left = (await readdir(target)).filter((name) => !name.endsWith('.part'));
    for (const name of left)
      expect(contents.get(name)?.equals(await readFile(join(target, name))), name).toBe(true);
    if (left.length < contents.size) midway += 1;

    const again = await atelier(['prepare', destination, ...options], {
      env: { ATELIER_DATA_DIR: data },
    });
    expect(again.code, again.stderr).toBe(0);
    expect((await readdir(target)).sort()).toEqual([...contents.keys()].sort());
    await rm(destination, { recursive: true });
  }
  expect((await readdir(photos)).length).toBe(contents.size);
  // Most are killed between the first copy and the last.
  expect(midway).toBeGreaterThan(KILLS / 2);
});
