import { call, on } from '../api';
import { connectCaptioning, saveCaptions } from '../tabs/captioning/store';
import { connectPhotos, connectPreparation } from '../tabs/dataset/store';
import { connectJobs } from './jobs';
import { dismissDone, notifyProblem } from './notify';
import { persistSettings } from './persist';
import { useProject } from './project';
import { useApp } from './store';

/** Everything between an empty window and one that works. Throws when main cannot say what it is or what it keeps. */
export async function boot(): Promise<void> {
  on('environment:changed', (worker) => useApp.setState({ worker }));
  const [info, settings, worker] = await Promise.all([
    call('app:info'),
    call('settings:get'),
    call('environment:status'),
  ]);
  useProject.setState(settings.project, true);
  const {
    theme,
    lastTab: tab,
    parameterView = 'simple',
    planFolded = false,
    recentModels = [],
  } = settings;
  useApp.setState({ info, worker, theme, tab, parameterView, planFolded, recentModels });
  const saveSettings = persistSettings();
  on('app:leaving', () => {
    void Promise.all([saveSettings(), saveCaptions()]).then(() => call('app:saved'));
  });
  // "Go to Captioning" is no news to someone who has gone somewhere else.
  useApp.subscribe((now, before) => now.tab !== before.tab && dismissDone());
  useProject.subscribe(() => dismissDone());
  connectPreparation();
  connectPhotos();
  connectCaptioning();
  connectJobs().catch(notifyProblem);
}
