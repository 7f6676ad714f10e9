import { create } from 'zustand';
import type { AppInfo, WorkerStatus } from '../../shared/contract';
import type { ParameterKey } from '../../shared/parameters';
import { withModel, type ParameterView, type TabName, type Theme } from '../../shared/settings';

interface AppState {
  readonly info: AppInfo | null;
  readonly worker: WorkerStatus;
  readonly theme: Theme;
  readonly tab: TabName;
  readonly parameterView: ParameterView;
  /** Whether the plan is folded where there is room for it beside the parameters. */
  readonly planFolded: boolean;
  readonly recentModels: readonly string[];
  /** The parameter that the Parameters tab scrolls to and focuses when it appears. */
  readonly jumpTo: ParameterKey | null;
}

export const useApp = create<AppState>(() => ({
  info: null,
  worker: { kind: 'starting' },
  theme: 'system',
  tab: 'dataset',
  parameterView: 'simple',
  planFolded: false,
  recentModels: [],
  jumpTo: null,
}));

export function showTab(tab: TabName): void {
  // Fields save when they lose the focus; a tab that goes away takes its fields with it before they notice.
  if (document.activeElement instanceof HTMLElement && tab !== useApp.getState().tab)
    document.activeElement.blur();
  useApp.setState({ tab });
}

export function showParameter(key: ParameterKey): void {
  showTab('parameters');
  useApp.setState({ jumpTo: key });
}

/** A base model that proved to be one. */
export function rememberModel(path: string): void {
  const { recentModels } = useApp.getState();
  if (recentModels[0] !== path) useApp.setState({ recentModels: withModel(recentModels, path) });
}
