import { ActionIcon, SegmentedControl, TextInput, VisuallyHidden } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconSearch,
  IconX,
  type Icon,
} from '@tabler/icons-react';
import type { KeyboardEvent, RefObject } from 'react';
import type { TrainConfig } from '../../../shared/parameters';
import { parameterViews, type ParameterView } from '../../../shared/settings';
import { useHistory } from '../../app/history';
import { showParameter, useApp } from '../../app/store';
import { HintedButton } from '../../components/HintedButton';
import { formatCount, formatQuantity } from '../../format';
import { ResetAll } from './ResetAll';
import type { Hits } from './search';
import { searchFor, showView, useLooking } from './store';
import { redoShown, undoShown } from './undo';

const viewLabels: Record<ParameterView, string> = { simple: 'Simple', all: 'All' };

function ViewSwitch() {
  const view = useApp((app) => app.parameterView);
  return (
    <SegmentedControl
      aria-label="Parameters shown"
      value={view}
      onChange={showView}
      data={parameterViews.map((value) => ({ value, label: viewLabels[value] }))}
    />
  );
}

interface SearchProps {
  readonly hits: Hits | null;
  readonly field: RefObject<HTMLInputElement | null>;
}

function Search({ hits, field }: SearchProps) {
  const query = useLooking((looking) => looking.query);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') searchFor('');
    else if (event.key === 'Enter' && hits !== null && hits.best !== null) showParameter(hits.best);
  };
  return (
    <TextInput
      ref={field}
      className="parameter-search"
      aria-label="Search parameters"
      placeholder="Search by label, key or help"
      spellCheck={false}
      value={query}
      onChange={(event) => searchFor(event.currentTarget.value)}
      onKeyDown={onKeyDown}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSectionWidth={query === '' ? 12 : 104}
      rightSection={
        query !== '' && (
          <span className="search-end">
            <span aria-hidden>{hits === null ? '' : `${formatCount(hits.keys.size)} found`}</span>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label="Clear the search"
              onClick={() => {
                searchFor('');
                field.current?.focus();
              }}
            >
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </span>
        )
      }
    />
  );
}

interface StepButtonProps {
  readonly verb: 'Undo' | 'Redo';
  readonly label: string | undefined;
  readonly keys: string;
  readonly Icon: Icon;
  readonly onClick: () => void;
}

function StepButton({ verb, label, keys, Icon, onClick }: StepButtonProps) {
  const text = label === undefined ? verb : `${verb}: ${label}`;
  return (
    <HintedButton
      variant="default"
      className="icon-button"
      aria-label={text}
      hint={label === undefined ? `Nothing to ${verb.toLowerCase()}` : `${text} (${keys})`}
      unavailable={label === undefined}
      onClick={onClick}
    >
      <Icon size={18} aria-hidden />
    </HintedButton>
  );
}

interface ToolbarProps extends SearchProps {
  readonly config: TrainConfig;
}

export function Toolbar({ config, hits, field }: ToolbarProps) {
  const last = useHistory(({ past }) => past.at(-1)?.label);
  const next = useHistory(({ future }) => future[0]?.label);
  return (
    <div className="parameter-toolbar" role="toolbar" aria-label="Parameters">
      <ViewSwitch />
      <Search hits={hits} field={field} />
      <VisuallyHidden role="status">
        {hits === null ? '' : `${formatQuantity(hits.keys.size, 'parameter')} found.`}
      </VisuallyHidden>
      <div className="toolbar-end">
        <StepButton
          verb="Undo"
          label={last}
          keys="Ctrl+Z"
          Icon={IconArrowBackUp}
          onClick={undoShown}
        />
        <StepButton
          verb="Redo"
          label={next}
          keys="Ctrl+Shift+Z"
          Icon={IconArrowForwardUp}
          onClick={redoShown}
        />
        <ResetAll config={config} />
      </div>
    </div>
  );
}
