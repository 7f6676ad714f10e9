import { Command } from 'commander';
import { beforeEach, expect, test, vi } from 'vitest';
import { addCaptionOptions, captionCommand } from '../../../electron/cli/caption';
import { createContext } from '../../../electron/cli/context';
import { runJob } from '../../../electron/cli/run-job';
import { newJobView, type JobView } from '../../../shared/job-view';
import { tempFolder } from '../../fakes/temp-folder';

vi.mock(import('../../../electron/cli/run-job'), () => ({ runJob: vi.fn() }));

const context = createContext(process.cwd());
let said = '';

beforeEach(() => {
  said = '';
  const hear = (text: string | Uint8Array): boolean => {
    said += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(hear);
  vi.spyOn(process.stderr, 'write').mockImplementation(hear);
  return () => vi.restoreAllMocks();
});

const optionsOf = (...args: readonly string[]): unknown =>
  addCaptionOptions(new Command('caption').exitOverride())
    .parse([...args], { from: 'user' })
    .opts();

const completed = (changes: Partial<JobView> = {}): JobView => ({
  ...newJobView({ id: 'a', kind: 'caption', name: 'a', createdAt: '', samplePrompts: 0 }, ''),
  status: { kind: 'completed' },
  ...changes,
});

test('an option that is no number is named', () => {
  expect(() => optionsOf('--batch-size', 'many')).toThrow(/--batch-size .*It must be a number/u);
});

test.each([
  [
    ['--caption-extension', 'txt'],
    '--caption-extension: Caption file extension must begin with a dot',
  ],
  [['--top-p', '2'], '--top-p: '],
])('%j is refused by its name', async (args, message) => {
  await expect(captionCommand(context, await tempFolder(), optionsOf(...args))).rejects.toThrow(
    message,
  );
});

test('pictures without a caption are named at the end', async () => {
  const folder = await tempFolder();
  vi.mocked(runJob).mockResolvedValueOnce(completed());
  expect(await captionCommand(context, folder, optionsOf())).toBe(0);
  expect(said).toBe('Every picture has a caption.\n');

  said = '';
  const failure = { type: 'caption', image: '/photos/broken.png' } as JobView['captionFailures'][0];
  vi.mocked(runJob).mockResolvedValueOnce(completed({ captionFailures: [failure] }));
  expect(await captionCommand(context, folder, optionsOf())).toBe(0);
  expect(said).toBe('No caption for: broken.png.\n');
});
