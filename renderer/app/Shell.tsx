import { Tabs } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import type { ComponentType } from 'react';
import { tabs, type TabName } from '../../shared/settings';
import { CaptioningTab } from '../tabs/captioning/CaptioningTab';
import { DatasetTab } from '../tabs/dataset/DatasetTab';
import { ParametersTab } from '../tabs/parameters/ParametersTab';
import { TrainingTab } from '../tabs/training/TrainingTab';
import { Header } from './Header';
import { showTab, useApp } from './store';
import { TabBar } from './TabBar';
import { WorkerBanner } from './WorkerBanner';

const views: Record<TabName, ComponentType> = {
  dataset: DatasetTab,
  captioning: CaptioningTab,
  parameters: ParametersTab,
  training: TrainingTab,
};

export function Shell() {
  const tab = useApp((app) => app.tab);
  useHotkeys(
    tabs.map((name, index) => [`mod+${index + 1}`, () => showTab(name)]),
    [],
  );
  return (
    <Tabs
      className="shell"
      value={tab}
      onChange={(value) => value !== null && showTab(value as TabName)}
      keepMounted={false}
      variant="none"
    >
      <Header />
      <nav aria-label="Steps">
        <TabBar />
      </nav>
      <WorkerBanner />
      <main className="shell-main">
        {tabs.map((name) => {
          const View = views[name];
          return (
            <Tabs.Panel key={name} value={name} className="shell-panel" tabIndex={-1}>
              <View />
            </Tabs.Panel>
          );
        })}
      </main>
    </Tabs>
  );
}
