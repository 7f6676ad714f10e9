import { Button, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { whyUnused } from '../../../shared/parameters/applies';
import type { ParameterKey } from '../../../shared/parameters';
import { resetParameters } from '../../app/project';
import { allKeys, type Group } from './groups';
import { ParameterField } from './ParameterField';
import { isChanged, isShown, type View } from './shown';
import { isNeeded } from './useChecked';
import type { Findings } from './useFindings';

interface Shared {
  readonly findings: Findings;
  readonly view: View;
  /** What is searched for. */
  readonly words: readonly string[];
}

interface FieldsProps extends Shared {
  readonly keys: readonly ParameterKey[];
}

function Fields({ keys, findings, words }: FieldsProps) {
  const { config, problems, warnings, modelRemark } = findings;
  return (
    <div className="parameter-grid">
      {keys.map((key) => {
        const remark = key === 'pretrained_model_name_or_path' ? modelRemark : '';
        const needed = problems[key] !== undefined && isNeeded(config[key], key);
        return (
          <ParameterField
            key={key}
            name={key}
            value={config[key]}
            error={needed ? null : (problems[key] ?? null)}
            warning={warnings[key] ?? null}
            unused={whyUnused(key, config)}
            remark={needed ? 'Needed before training.' : remark}
            words={words}
          />
        );
      })}
    </div>
  );
}

interface HeadProps {
  readonly title: string;
  readonly keys: readonly ParameterKey[];
  readonly findings: Findings;
  readonly view: View;
  readonly children: ReactNode;
}

function Head({ title, keys, findings, view, children }: HeadProps) {
  const changed = keys.filter((key) => isChanged(key, findings.config));
  const does = `Put ${title} back to its defaults: ${changed.length} changed`;
  return (
    <header className="group-head">
      {children}
      {/* A search shows some of them only. */}
      {changed.length > 0 && view.hits === null && (
        <Tooltip label={does}>
          <Button
            className="group-reset"
            variant="subtle"
            color="gray"
            size="compact-sm"
            aria-label={does}
            onClick={() => resetParameters(changed, title)}
          >
            Reset {changed.length} changed
          </Button>
        </Tooltip>
      )}
    </header>
  );
}

interface GroupFieldsProps extends Shared {
  readonly group: Group;
}

/** A group with its sections, as far as something of them is shown. */
export function GroupFields({ group, ...shared }: GroupFieldsProps) {
  const { findings, view } = shared;
  const shown = (keys: readonly ParameterKey[]) =>
    keys.filter((key) => isShown(key, findings.config, view));
  const own = shown(group.keys);
  if (shown(allKeys(group)).length === 0) return null;
  return (
    <section className="parameter-group" id={`group-${group.name}`} aria-label={group.name}>
      <Head
        title={group.name}
        keys={group.keys.length > 0 ? group.keys : allKeys(group)}
        findings={findings}
        view={view}
      >
        <h2 className="main-title">{group.name}</h2>
      </Head>
      {own.length > 0 && <Fields keys={own} {...shared} />}
      {group.sections
        .filter(({ keys }) => shown(keys).length > 0)
        .map(({ title, keys }) => (
          <section
            key={title}
            className="parameter-section"
            id={`section-${title}`}
            aria-label={title}
          >
            <Head title={title} keys={keys} findings={findings} view={view}>
              <h3 className="section-title">{title}</h3>
            </Head>
            <Fields keys={shown(keys)} {...shared} />
          </section>
        ))}
    </section>
  );
}
