import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createServices } from '../../../electron/services';
import { emptyProject } from '../../../shared/settings';
import { locateFakeBridge } from '../../fakes/fake-bridge';
import { recordingLog } from '../../fakes/recording-log';
import { tempFolder } from '../../fakes/temp-folder';

test('a sample project cut in half keeps nobody from starting with an empty one', async () => {
  const folder = await tempFolder();
  const sample = join(folder, 'sample');
  await mkdir(sample);
  await writeFile(join(sample, 'sample.json'), '{"instancePrompt": "ei');
  const log = recordingLog();
  const { settings } = await createServices({
    locations: { ...locateFakeBridge('normal'), sample },
    userData: folder,
    appVersion: '0.0.0',
    log,
    broadcast: () => undefined,
  });
  expect(settings.get().project).toEqual(emptyProject);
  expect(log.lines.join()).toContain('sample project');
});
