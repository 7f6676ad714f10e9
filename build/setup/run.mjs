import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { explain } from './failure.mjs';

/** The settings of an outer Python or Electron must not leak into ours. */
export function cleanEnvironment(env = process.env) {
  const { ELECTRON_RUN_AS_NODE, NODE_OPTIONS, PYTHONHOME, PYTHONPATH, ...rest } = env;
  return { ...rest, PYTHONUTF8: '1' };
}

/**
 * Runs a program to its end, showing each line to `onLine`.
 * @param what names the work in the failure that is thrown when the program does not exit with 0.
 * @returns everything that it printed.
 */
export async function run(what, command, args, { onLine = () => {}, ...options } = {}) {
  const child = spawn(command, args, {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`;
      onLine(line);
    });
  }
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += `${error.message}\n`;
      resolve(-1);
    });
    child.on('close', resolve);
  });
  if (code !== 0) throw explain(what, output);
  return output;
}

/** What a short question printed, or null when the program is missing or failed. */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    env: cleanEnvironment(),
    timeout: 30_000,
    windowsHide: true,
  });
  return status === 0 ? stdout : null;
}
