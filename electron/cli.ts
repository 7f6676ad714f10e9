import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { parameters } from '../shared/parameters';
import { toProblem } from '../shared/result';
import { balanceCommand, type BalanceOptions } from './cli/balance';
import { addCaptionOptions, captionCommand } from './cli/caption';
import { createContext, type Context } from './cli/context';
import { exportCommand } from './cli/export';
import { inspectCommand } from './cli/inspect';
import { planCommand } from './cli/plan';
import { prepareCommand, type PrepareOptions } from './cli/prepare';
import { printProblem } from './cli/print';
import { exitCodesHelp, trainCommand, type TrainOptions } from './cli/train';

/** The app's services without a window. The bundle lies in dist/electron. */
const root = join(__dirname, '..', '..');

/** Runs a command and ends with its exit code; a failure is one sentence and what to do about it. */
function run(command: (context: Context) => Promise<number>): Promise<void> {
  return command(createContext(root)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      printProblem('Error', toProblem(error));
      process.exitCode = 1;
    },
  );
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}

function countOfProcesses(text: string): number {
  const { min, max } = parameters.num_processes;
  const count = Number(text);
  if (!Number.isInteger(count) || count < min || count > max)
    throw new InvalidArgumentError(
      `It must be a whole number from ${String(min)} to ${String(max)}.`,
    );
  return count;
}

const aConfig = 'a config: kohya_ss’s JSON, sd-scripts’ TOML, or one of ours';

const program = new Command('atelier').description('Teach SDXL a subject, without a window.');

program
  .command('plan')
  .argument('<config>', aConfig)
  .option('--json', 'print one JSON object', false)
  .description('what a training run would do; needs no base model')
  .action((file: string, { json }: { json: boolean }) =>
    run((context) => planCommand(context, file, json)),
  );

program
  .command('export')
  .argument('<config>', aConfig)
  .argument('<file>', 'what is written: .json for kohya_ss, .toml for sd-scripts')
  .description('write a config as kohya_ss or sd-scripts reads it')
  .action((config: string, file: string) => run(() => exportCommand(config, file)));

program
  .command('train')
  .argument('[config]', aConfig)
  .option('--sample', 'train the sample project', false)
  .option('--folder <folder>', 'where the sample project is prepared')
  .option('--resume <folder>', 'go on with the training of a job’s folder')
  .option('--processes <number>', 'on how many GPUs of this machine', countOfProcesses)
  .description('train a LoRA; Ctrl-C stops and saves, to be gone on with')
  .addHelpText('after', exitCodesHelp)
  .action((file: string | undefined, options: TrainOptions) =>
    run((context) => trainCommand(context, file, options)),
  );

program
  .command('prepare')
  .argument('<destination>', 'the project’s folder: img, reg, log and model are made there')
  .option('--instance-prompt <text>', 'the subject’s own word')
  .option('--class-prompt <text>', 'what it is: woman, dog')
  .option('--images <folder...>', 'folders of pictures')
  .option('--repeats <number>', 'how often an epoch shows each', wholeNumber)
  .option('--reg <folder>', 'regularization pictures')
  .option('--reg-repeats <number>', 'how often an epoch shows each', wholeNumber)
  .option('--concepts <file>', 'several concepts instead, as JSON')
  .option('--link', 'hard links instead of copies', false)
  .option('--dry-run', 'only show what would be made', false)
  .option('--undo', 'take back what was done last to this project', false)
  .description('bring pictures into Kohya’s folders; never deletes or overwrites')
  .action((destination: string, options: PrepareOptions) =>
    run((context) => prepareCommand(context, destination, options)),
  );

program
  .command('balance')
  .argument('<folder>', 'a folder of <repeats>_<name> folders, such as img')
  .option('--steps <number>', 'training steps an epoch for each folder', wholeNumber, 1000)
  .option('--apply', 'rename; otherwise it is only shown', false)
  .option('--undo', 'take back what was done last to this project', false)
  .description('repeats that give every concept as many steps')
  .action((folder: string, options: BalanceOptions) =>
    run((context) => balanceCommand(context, folder, options)),
  );

addCaptionOptions(
  program
    .command('caption')
    .argument('<dir>', 'folder of pictures')
    .description('caption the pictures of a folder with BLIP, BLIP-2, GIT or WD14'),
).action((dir: string, options: unknown) =>
  run((context) => captionCommand(context, dir, options)),
);

program
  .command('inspect')
  .argument('<file>', 'a LoRA')
  .option('--json', 'print one JSON object', false)
  .description('what is in a LoRA, and whether anything in it is NaN or empty')
  .action((file: string, { json }: { json: boolean }) =>
    run((context) => inspectCommand(context, file, json)),
  );

void program.parseAsync();
