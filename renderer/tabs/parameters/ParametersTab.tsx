import { Button, Text } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, type FocusEvent } from 'react';
import { parameterKeys, type ParameterKey } from '../../../shared/parameters';
import { closeStep } from '../../app/history';
import { showTab, useApp } from '../../app/store';
import { Empty } from '../../components/bits';
import { formatCount, formatQuantity } from '../../format';
import { ConfigFileMenu } from './files/ConfigFileMenu';
import { FindingList } from './FindingList';
import { GroupFields } from './GroupFields';
import { GroupLinks } from './GroupLinks';
import { groups } from './groups';
import { PlanAside } from './plan/PlanAside';
import { PresetMenu } from './presets/PresetMenu';
import { search } from './search';
import { isShown, type View } from './shown';
import { keepShown, reveal, searchFor, showView, useLooking } from './store';
import { Toolbar } from './Toolbar';
import { elementOf, useUndoKeys } from './undo';
import { useFindings, type Findings } from './useFindings';
import { useQuestions } from './useQuestions';

function focusParameter(key: ParameterKey): void {
  const field = elementOf(key);
  field?.scrollIntoView({ block: 'center' });
  field?.focus({ preventScroll: true });
}

/** Goes to the field that another place asked for, which a view or a search may hide. */
function useJump(): void {
  const jumpTo = useApp((app) => app.jumpTo);
  const kept = useLooking((looking) => looking.kept);
  useEffect(() => {
    if (jumpTo === null) return;
    if (elementOf(jumpTo) === null && !kept.has(jumpTo)) {
      reveal(jumpTo);
      return;
    }
    focusParameter(jumpTo);
    useApp.setState({ jumpTo: null });
  }, [jumpTo, kept]);
}

function useLook() {
  const query = useLooking((looking) => looking.query);
  const kept = useLooking((looking) => looking.kept);
  const all = useApp((app) => app.parameterView === 'all');
  const hits = useMemo(() => search(query), [query]);
  const view: View = { all, kept, hits: hits?.keys ?? null };
  return { hits, view };
}

function Foot({ findings }: { readonly findings: Findings }) {
  const { all, problems } = findings;
  const errors = all.filter(({ tone }) => tone !== 'warning').length;
  const unusable = Object.keys(problems).length;
  return (
    <footer className="side-foot">
      <div role="status">
        <Text size="sm" c="dimmed" className="foot-line wrap">
          {unusable > 0
            ? `${formatQuantity(unusable, 'parameter')} cannot be used yet.`
            : errors > 0
              ? 'Training cannot start yet.'
              : 'All parameters can be used.'}
        </Text>
        <FindingList findings={all} />
      </div>
      <Button fullWidth variant="light" onClick={() => showTab('training')}>
        Go to Training
      </Button>
    </footer>
  );
}

function NothingFound() {
  return (
    <Empty icon={<IconSearch size={40} stroke={1.25} />} title="Nothing found">
      <p className="nothing-found">No parameter has these words in its label, key or help.</p>
      <Button variant="light" onClick={() => searchFor('')}>
        Clear the search
      </Button>
    </Empty>
  );
}

const onFocus = ({ target }: FocusEvent<HTMLElement>): void => {
  const key = target.dataset['field'];
  if (key !== undefined) keepShown(key as ParameterKey);
};

export function ParametersTab() {
  const searchField = useRef<HTMLInputElement>(null);
  const column = useRef<HTMLDivElement>(null);
  const { hits, view } = useLook();
  useQuestions();
  useJump();
  useUndoKeys(column);
  useHotkeys([['mod+F', () => searchField.current?.select()]], []);
  const findings = useFindings();
  const { config } = findings;
  const hidden = parameterKeys.filter((key) => !isShown(key, config, { ...view, hits: null }));
  const words = hits?.words ?? noWords;
  return (
    <div className="tab-layout parameters-layout">
      <aside className="side narrow" aria-label="Parameter groups">
        <ConfigFileMenu />
        <PresetMenu />
        <nav className="side-scroll" aria-label="Groups">
          {groups.map((group) => (
            <GroupLinks key={group.name} group={group} findings={findings} view={view} />
          ))}
        </nav>
        <Foot findings={findings} />
      </aside>
      <div className="main parameters-main">
        <Toolbar config={config} hits={hits} field={searchField} />
        <div
          className="parameter-scroll"
          ref={column}
          onFocusCapture={onFocus}
          onBlurCapture={closeStep}
        >
          <div className="parameter-column">
            {hits?.keys.size === 0 && <NothingFound />}
            {groups.map((group) => (
              <GroupFields
                key={group.name}
                group={group}
                findings={findings}
                view={view}
                words={words}
              />
            ))}
            {hits === null && !view.all && hidden.length > 0 && (
              <p className="more-parameters">
                {formatCount(hidden.length)} more are at their defaults.{' '}
                <Button variant="subtle" size="compact-sm" onClick={() => showView('all')}>
                  Show all
                </Button>
              </p>
            )}
          </div>
        </div>
      </div>
      <PlanAside />
    </div>
  );
}

const noWords: readonly string[] = [];
