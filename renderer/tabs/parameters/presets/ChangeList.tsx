import { Checkbox, VisuallyHidden } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { formatQuantity } from '../../../format';
import type { PresetKey } from '../../../../shared/preset-values';
import type { Change, ChangeGroup } from './changes';

interface ChangeListProps {
  readonly groups: readonly ChangeGroup[];
  readonly leftOut: ReadonlySet<PresetKey>;
  readonly onLeaveOut: (leftOut: ReadonlySet<PresetKey>) => void;
}

function ChangeText({ label, now, then }: Change) {
  return (
    <span className="preset-row">
      <span className="preset-field">{label}</span>
      <span className="preset-now">
        <VisuallyHidden> from </VisuallyHidden>
        {now}
      </span>
      <IconArrowRight size={14} aria-hidden className="preset-arrow" />
      <span className="preset-then">
        <VisuallyHidden> to </VisuallyHidden>
        {then}
      </span>
    </span>
  );
}

/** Every field that would change, with its value now and then; each can be left out. */
export function ChangeList({ groups, leftOut, onLeaveOut }: ChangeListProps) {
  const keys = groups.flatMap(({ changes }) => changes.map(({ key }) => key));
  const turn = (key: PresetKey) => {
    const next = new Set(leftOut);
    if (!next.delete(key)) next.add(key);
    onLeaveOut(next);
  };
  return (
    <div className="preset-changes">
      <Checkbox
        data-autofocus
        className="preset-change preset-all"
        checked={leftOut.size === 0}
        indeterminate={leftOut.size > 0 && leftOut.size < keys.length}
        onChange={() => onLeaveOut(new Set(leftOut.size === 0 ? keys : []))}
        label={
          <span className="preset-row">
            <span>
              {keys.length === 1 ? 'The change' : `All ${formatQuantity(keys.length, 'change')}`}
            </span>
            <span className="preset-now" aria-hidden>
              Now
            </span>
            <span />
            <span className="preset-then" aria-hidden>
              Then
            </span>
          </span>
        }
      />
      {groups.map(({ title, changes }) => (
        <div key={title} role="group" aria-label={title}>
          <h3 className="preset-heading">{title}</h3>
          {changes.map((change) => (
            <Checkbox
              key={change.key}
              className="preset-change"
              checked={!leftOut.has(change.key)}
              onChange={() => turn(change.key)}
              label={<ChangeText {...change} />}
            />
          ))}
        </div>
      ))}
    </div>
  );
}
