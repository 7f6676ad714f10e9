import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, root, test } from './support/app';
import { atelier, kohyaProject } from './support/sample';

/** What Kohya's metadata says of the tensors alone. */
async function contentOf(lora: string): Promise<string | undefined> {
  const { stdout } = await atelier(['inspect', '--json', lora]);
  return (JSON.parse(stdout) as { metadata: Record<string, string> }).metadata['sshs_model_hash'];
}

test('a training that is killed is gone on with, and ends as one that never was', async ({
  home,
}) => {
  const { file, lora } = await kohyaProject(home, { epoch: 4, seed: 5 });
  expect((await atelier(['train', file])).code).toBe(0);
  const straight = join(home, 'straight.safetensors');
  await rename(lora, straight);
  const [before = ''] = await readdir(join(home, 'log'));

  const child = spawn(
    process.execPath,
    [join(root, 'dist', 'electron', 'cli.cjs'), 'train', file],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exit = once(child, 'exit');
  let folder = '';
  const told = async () => {
    const job = (await readdir(join(home, 'log'))).find((name) => name !== before);
    if (job === undefined) return '';
    folder = join(home, 'log', job);
    return readFile(join(folder, 'events.jsonl'), 'utf8').catch(() => '');
  };
  const states = async () => ((await told()).match(/"type":"state"/gu) ?? []).length;
  await expect.poll(states, { timeout: 120_000, intervals: [20] }).toBeGreaterThan(1);
  const hello = JSON.parse((await told()).split('\n')[0] ?? '') as { pid: number };
  process.kill(hello.pid, 'SIGKILL');
  expect((await exit)[0]).toBe(1);

  const resumed = await atelier(['train', '--resume', folder]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(await told()).toContain('"type":"resumed"');
  expect(await contentOf(lora)).toBe(await contentOf(straight));
});
