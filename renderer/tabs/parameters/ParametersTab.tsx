import { Button, Text } from '@mantine/core';
import { useEffect, useRef } from 'react';
import {
  parameterKeys,
  parameters,
  type ParameterGroup,
  type ParameterKey,
} from '../../../shared/parameters';
import { showTab, useApp } from '../../app/store';
import { useWindowFocus } from '../../components/useWindowFocus';
import { formatQuantity } from '../../format';
import { describeIdentity } from './identity';
import { ParameterField } from './ParameterField';
import { modelIdentity } from './store';
import { isNeeded, useChecked } from './useChecked';

const groups: readonly ParameterGroup[] = ['Model', 'Folders', 'Basic', 'Advanced'];
const keysOf = (group: ParameterGroup) =>
  parameterKeys.filter((key) => parameters[key].group === group);

function useIdentity(path: string) {
  const focused = useWindowFocus();
  useEffect(() => {
    modelIdentity.ask(path.trim() === '' ? null : { path });
  }, [path, focused]);
  return modelIdentity.useAnswer();
}

function Group({ group }: { readonly group: ParameterGroup }) {
  const { config, problems } = useChecked();
  const identity = useIdentity(config.pretrained_model_name_or_path);

  function modelRemark(): { error?: string; remark?: string } {
    const answered = identity.value;
    const problem = identity.problem ?? answered?.problem ?? null;
    if (problem !== null && !identity.pending) return { error: problem.message };
    if (answered === null || identity.pending) return { remark: 'Looking at the model…' };
    return { remark: describeIdentity(answered) };
  }

  return (
    <section className="parameter-group" id={`group-${group}`} aria-label={group}>
      <h2 className="main-title">{group}</h2>
      <div className="parameter-grid">
        {keysOf(group).map((key) => {
          const model = key === 'pretrained_model_name_or_path' ? modelRemark() : {};
          const needed = problems[key] !== undefined && isNeeded(config[key], key);
          return (
            <ParameterField
              key={key}
              name={key}
              value={config[key]}
              error={needed ? null : (problems[key] ?? model.error ?? null)}
              remark={needed ? 'Needed before training.' : (model.remark ?? null)}
            />
          );
        })}
      </div>
    </section>
  );
}

function focusParameter(key: ParameterKey): void {
  const field = document.querySelector(`[data-field="${key}"]`);
  field?.scrollIntoView({ block: 'center' });
  if (field instanceof HTMLElement) field.focus({ preventScroll: true });
}

function GroupLink({ group }: { readonly group: ParameterGroup }) {
  const { config, problems } = useChecked();
  const keys = keysOf(group);
  const unusable = keys.filter((key) => problems[key] !== undefined);
  const needed = unusable.filter((key) => isNeeded(config[key], key)).length;
  const wrong = unusable.length - needed;
  const changed = keys.filter((key) => config[key] !== parameters[key].default).length;
  const show = () => document.getElementById(`group-${group}`)?.scrollIntoView({ block: 'start' });
  return (
    <button type="button" className="group-link" onClick={show}>
      <span>{group}</span>
      {wrong > 0 && <span className="group-wrong">{formatQuantity(wrong, 'error')}</span>}
      {wrong === 0 && needed > 0 && <span className="group-needed">{needed} needed</span>}
      {unusable.length === 0 && changed > 0 && (
        <span className="group-changed">{changed} changed</span>
      )}
    </button>
  );
}

export function ParametersTab() {
  const jumpTo = useApp((app) => app.jumpTo);
  const { problems } = useChecked();
  const scroller = useRef<HTMLDivElement>(null);
  const wrong = Object.keys(problems) as ParameterKey[];
  const first = wrong[0];

  useEffect(() => {
    if (jumpTo === null) return;
    focusParameter(jumpTo);
    useApp.setState({ jumpTo: null });
  }, [jumpTo]);

  return (
    <div className="tab-layout parameters-layout">
      <aside className="side narrow" aria-label="Parameter groups">
        <nav className="side-scroll" aria-label="Groups">
          {groups.map((group) => (
            <GroupLink key={group} group={group} />
          ))}
        </nav>
        <footer className="side-foot">
          <Text size="sm" c="dimmed" className="foot-line wrap" role="status">
            {wrong.length === 0
              ? 'All parameters can be used.'
              : `${formatQuantity(wrong.length, 'parameter')} cannot be used yet.`}
          </Text>
          {first === undefined ? (
            <Button fullWidth variant="light" onClick={() => showTab('training')}>
              Go to Training
            </Button>
          ) : (
            <Button fullWidth variant="light" onClick={() => focusParameter(first)}>
              Show the first
            </Button>
          )}
        </footer>
      </aside>
      <div className="main parameters-main" ref={scroller}>
        <div className="parameter-column">
          {groups.map((group) => (
            <Group key={group} group={group} />
          ))}
        </div>
      </div>
    </div>
  );
}
