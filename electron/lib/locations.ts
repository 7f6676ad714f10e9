import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { ProblemError } from '../../shared/result';
import { pythonOf } from './platform';

/** Where things are that set-up made. */
export interface Locations {
  readonly root: string;
  /** Set-up's results: runtime, vocabulary, sample project. */
  readonly dataFolder: string;
  readonly renderer: string;
  readonly sample: string;
  readonly pythonBridge: string;
  /** Program and first arguments of the bridge; `job <folder>` or `serve` follow. */
  readonly bridgeCommand: readonly string[];
  readonly bridgeEnvironment: NodeJS.ProcessEnv;
}

const commandSchema = z.array(z.string()).nonempty();

export function locate(root: string, env: NodeJS.ProcessEnv = process.env): Locations {
  const dataFolder = resolve(env['ATELIER_DATA_DIR'] || join(root, '.atelier'));
  const pythonBridge = join(root, 'python-bridge');
  const override = env['ATELIER_BRIDGE_COMMAND'];
  return {
    root,
    dataFolder,
    renderer: join(root, 'dist', 'renderer'),
    sample: join(dataFolder, 'sample'),
    pythonBridge,
    bridgeCommand:
      override === undefined
        ? [env['ATELIER_PYTHON'] ?? pythonOf(join(root, '.venv')), '-m', 'lora_bridge']
        : commandSchema.parse(JSON.parse(override)),
    bridgeEnvironment: bridgeEnvironment(env, pythonBridge, dataFolder),
  };
}

/** Without what would turn a child of Electron into something else, and with Python's output prompt and in UTF-8. */
function bridgeEnvironment(
  env: NodeJS.ProcessEnv,
  pythonBridge: string,
  dataFolder: string,
): NodeJS.ProcessEnv {
  const { ELECTRON_RUN_AS_NODE: _node, NODE_OPTIONS: _options, ...kept } = env;
  const pythonPath = kept['PYTHONPATH'];
  return {
    ...kept,
    PYTHONUTF8: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONPATH: pythonPath ? `${pythonBridge}${delimiter}${pythonPath}` : pythonBridge,
    ATELIER_DATA_DIR: dataFolder,
  };
}

/** Program and arguments to spawn for the bridge. */
export function bridgeArguments(
  locations: Locations,
  ...args: readonly string[]
): readonly [command: string, args: readonly string[]] {
  const [command = '', ...first] = locations.bridgeCommand;
  return [command, [...first, ...args]];
}

export const pythonMissing = (command: string): ProblemError =>
  new ProblemError(
    'python_missing',
    `The Python environment is not there: ${command} could not be started.`,
    'Run the set-up again with npm start.',
  );
