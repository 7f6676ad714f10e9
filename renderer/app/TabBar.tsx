import { Tabs, VisuallyHidden } from '@mantine/core';
import { IconAlertCircle, IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { tabs, type TabName } from '../../shared/settings';
import { useTabMarks, type TabMark } from './marks';

const tabLabels: Record<TabName, string> = {
  dataset: 'Dataset Preparation',
  captioning: 'Captioning',
  parameters: 'Parameters',
  training: 'Training',
};

function look({ kind, text }: TabMark): ReactNode {
  if (kind === 'busy') return <span className="tab-busy numbers">{text}</span>;
  if (kind === 'done') return <IconCheck size={16} className="good" />;
  return <IconAlertCircle size={16} className={kind === 'failed' ? 'bad' : 'attention'} />;
}

export function TabBar() {
  const marks = useTabMarks();
  return (
    <Tabs.List className="tab-bar" aria-label="Steps">
      {tabs.map((name, index) => {
        const mark = marks[name];
        return (
          <Tabs.Tab
            key={name}
            value={name}
            className="tab"
            aria-label={tabLabels[name]}
            aria-describedby={mark ? `mark-${name}` : undefined}
            aria-keyshortcuts={`Control+${index + 1}`}
          >
            <span className="tab-face">
              <span className="tab-label">{tabLabels[name]}</span>
              <span className="tab-mark" aria-hidden>
                {mark && look(mark)}
              </span>
            </span>
            {mark && <VisuallyHidden id={`mark-${name}`}>{mark.says}</VisuallyHidden>}
          </Tabs.Tab>
        );
      })}
    </Tabs.List>
  );
}
