import { Button, Text } from '@mantine/core';
import { useEffect } from 'react';
import { parameterKeys, parameters, type ParameterKey } from '../../../shared/parameters';
import type { Problem } from '../../../shared/result';
import { showTab, useApp } from '../../app/store';
import { useWindowFocus } from '../../components/useWindowFocus';
import { formatQuantity } from '../../format';
import { describeIdentity } from './identity';
import { ConfigFileMenu } from './files/ConfigFileMenu';
import { ParameterField } from './ParameterField';
import { groups, type Group, type Section } from './groups';
import { PresetMenu } from './presets/PresetMenu';
import { PlanAside } from './plan/PlanAside';
import { isShown } from './shown';
import { modelIdentity, runPlan } from './store';
import { isNeeded, useChecked, type Checked } from './useChecked';
import { useRunPlan } from './useRunPlan';

/** What the tab says of its parameters: what is wrong with each, what the base model is too. */
interface Findings extends Checked {
  readonly modelRemark: string;
}

function useFindings(): Findings {
  const checked = useChecked();
  const focused = useWindowFocus();
  const path = checked.config.pretrained_model_name_or_path;
  useEffect(() => {
    modelIdentity.ask(path.trim() === '' ? null : { path });
  }, [path, focused]);
  const { value, problem: unanswered, pending } = modelIdentity.useAnswer();
  const problems = { ...usePromptProblem(checked, focused), ...checked.problems };
  if (pending) return { ...checked, problems, modelRemark: 'Looking at the model…' };
  const problem = unanswered ?? value?.problem ?? null;
  if (problem === null)
    return { ...checked, problems, modelRemark: value === null ? '' : describeIdentity(value) };
  return {
    ...checked,
    problems: { pretrained_model_name_or_path: sentencesOf(problem), ...problems },
    modelRemark: '',
  };
}

/** The bridge alone reads the flags of a prompt: it says with the plan what is wrong with them. */
function usePromptProblem(checked: Checked, focused: number): Checked['problems'] {
  useRunPlan(checked, focused);
  const problem = runPlan.useAnswer((answer) => answer.problem);
  return problem?.code === 'sample_prompt_invalid' ? { sample_prompts: sentencesOf(problem) } : {};
}

const sentencesOf = ({ message, hint }: Problem): string =>
  hint === undefined ? message : `${message} ${hint}`;

interface FieldsProps {
  readonly keys: readonly ParameterKey[];
  readonly findings: Findings;
}

function Fields({ keys, findings: { config, problems, modelRemark } }: FieldsProps) {
  return (
    <div className="parameter-grid">
      {keys
        .filter((key) => isShown(key, config))
        .map((key) => {
          const remark = key === 'pretrained_model_name_or_path' ? modelRemark : '';
          const needed = problems[key] !== undefined && isNeeded(config[key], key);
          return (
            <ParameterField
              key={key}
              name={key}
              value={config[key]}
              error={needed ? null : (problems[key] ?? null)}
              remark={needed ? 'Needed before training.' : remark}
            />
          );
        })}
    </div>
  );
}

interface GroupProps {
  readonly group: Group;
  readonly findings: Findings;
}

function GroupFields({ group, findings }: GroupProps) {
  return (
    <section className="parameter-group" id={`group-${group.name}`} aria-label={group.name}>
      <h2 className="main-title">{group.name}</h2>
      {group.keys.length > 0 && <Fields keys={group.keys} findings={findings} />}
      {group.sections.map(({ title, keys }) => (
        <section
          key={title}
          className="parameter-section"
          id={`section-${title}`}
          aria-label={title}
        >
          <h3 className="section-title">{title}</h3>
          <Fields keys={keys} findings={findings} />
        </section>
      ))}
    </section>
  );
}

function focusParameter(key: ParameterKey): void {
  const field = document.querySelector(`[data-field="${key}"]`);
  field?.scrollIntoView({ block: 'center' });
  if (field instanceof HTMLElement) field.focus({ preventScroll: true });
}

interface LinkProps extends FieldsProps {
  readonly label: string;
  /** The id of what it leads to. */
  readonly to: string;
  readonly inner?: boolean;
}

function Link({ label, to, inner = false, keys, findings: { config, problems } }: LinkProps) {
  const unusable = keys.filter((key) => problems[key] !== undefined);
  const needed = unusable.filter((key) => isNeeded(config[key], key)).length;
  const wrong = unusable.length - needed;
  const changed = keys.filter((key) => config[key] !== parameters[key].default).length;
  const show = () => document.getElementById(to)?.scrollIntoView({ block: 'start' });
  return (
    <button type="button" className="group-link" data-inner={inner || undefined} onClick={show}>
      <span>{label}</span>
      {wrong > 0 && <span className="group-wrong">{formatQuantity(wrong, 'error')}</span>}
      {wrong === 0 && needed > 0 && <span className="group-needed">{needed} needed</span>}
      {unusable.length === 0 && changed > 0 && (
        <span className="group-changed">{changed} changed</span>
      )}
    </button>
  );
}

const allKeys = ({ keys, sections }: Group): readonly ParameterKey[] => [
  ...keys,
  ...sections.flatMap((section) => section.keys),
];

function GroupLinks({ group, findings }: GroupProps) {
  return (
    <>
      <Link
        label={group.name}
        to={`group-${group.name}`}
        keys={group.keys.length > 0 ? group.keys : allKeys(group)}
        findings={findings}
      />
      {group.sections.map(({ title, keys }: Section) => (
        <Link
          key={title}
          inner
          label={title}
          to={`section-${title}`}
          keys={keys}
          findings={findings}
        />
      ))}
    </>
  );
}

export function ParametersTab() {
  const jumpTo = useApp((app) => app.jumpTo);
  const findings = useFindings();
  const wrong = parameterKeys.filter((key) => findings.problems[key] !== undefined);
  const first = wrong[0];

  useEffect(() => {
    if (jumpTo === null) return;
    focusParameter(jumpTo);
    useApp.setState({ jumpTo: null });
  }, [jumpTo]);

  return (
    <div className="tab-layout parameters-layout">
      <aside className="side narrow" aria-label="Parameter groups">
        <ConfigFileMenu />
        <PresetMenu />
        <nav className="side-scroll" aria-label="Groups">
          {groups.map((group) => (
            <GroupLinks key={group.name} group={group} findings={findings} />
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
      <div className="main parameters-main">
        <div className="parameter-column">
          {groups.map((group) => (
            <GroupFields key={group.name} group={group} findings={findings} />
          ))}
        </div>
      </div>
      <PlanAside />
    </div>
  );
}
