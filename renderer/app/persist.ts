import type { SettingsPatch } from '../../shared/settings';
import { call } from '../api';
import { useApp } from './store';
import { notifyProblem } from './notify';
import { useProject } from './project';

/** How long a form rests before it is saved. */
const QUIET_MS = 400;

/** Saves theme, last tab, what the Parameters tab remembers and the project whenever they change. Returns what saves them at once. */
export function persistSettings(): () => Promise<void> {
  let pending: SettingsPatch = {};
  let timer: number | undefined;

  async function flush(): Promise<void> {
    window.clearTimeout(timer);
    if (Object.keys(pending).length === 0) return;
    const patch = pending;
    pending = {};
    await call('settings:update', patch).catch(notifyProblem);
  }

  function save(patch: SettingsPatch): void {
    pending = { ...pending, ...patch };
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void flush(), QUIET_MS);
  }

  useApp.subscribe((now, before) => {
    if (now.theme !== before.theme) save({ theme: now.theme });
    if (now.tab !== before.tab) save({ lastTab: now.tab });
    if (now.planFolded !== before.planFolded) save({ planFolded: now.planFolded });
    if (now.parameterView !== before.parameterView) save({ parameterView: now.parameterView });
    if (now.recentModels !== before.recentModels) save({ recentModels: [...now.recentModels] });
  });
  useProject.subscribe((project) => save({ project }));
  window.addEventListener('pagehide', () => void flush());
  return flush;
}
