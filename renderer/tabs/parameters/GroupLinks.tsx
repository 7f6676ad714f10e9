import type { ParameterKey } from '../../../shared/parameters';
import { formatQuantity } from '../../format';
import { allKeys, type Group } from './groups';
import { isChanged, isShown, type View } from './shown';
import { countErrors, type Findings } from './useFindings';

interface Shared {
  readonly findings: Findings;
  readonly view: View;
}

interface LinkProps extends Shared {
  readonly label: string;
  /** The id of what it leads to. */
  readonly to: string;
  readonly inner?: boolean;
  readonly keys: readonly ParameterKey[];
}

function Count({ keys, findings, view }: Omit<LinkProps, 'label' | 'to'>) {
  const { wrong, needed } = countErrors(findings, keys);
  if (wrong > 0) return <span className="group-wrong">{formatQuantity(wrong, 'error')}</span>;
  if (needed > 0) return <span className="group-needed">{needed} needed</span>;
  const { hits } = view;
  if (hits !== null) {
    const found = keys.filter((key) => hits.has(key)).length;
    return found > 0 && <span className="group-changed">{found} found</span>;
  }
  const changed = keys.filter((key) => isChanged(key, findings.config)).length;
  return changed > 0 && <span className="group-changed">{changed} changed</span>;
}

function Link({ label, to, inner = false, ...rest }: LinkProps) {
  const show = () => document.getElementById(to)?.scrollIntoView({ block: 'start' });
  return (
    <button type="button" className="group-link" data-inner={inner || undefined} onClick={show}>
      <span>{label}</span>
      <Count {...rest} />
    </button>
  );
}

interface GroupLinksProps extends Shared {
  readonly group: Group;
}

/** The way to a group and its sections, as far as something of them is shown. */
export function GroupLinks({ group, findings, view }: GroupLinksProps) {
  const shown = (keys: readonly ParameterKey[]) =>
    keys.some((key) => isShown(key, findings.config, view));
  const shared = { findings, view };
  if (!shown(allKeys(group))) return null;
  return (
    <>
      <Link
        label={group.name}
        to={`group-${group.name}`}
        keys={group.keys.length > 0 ? group.keys : allKeys(group)}
        {...shared}
      />
      {group.sections
        .filter(({ keys }) => shown(keys))
        .map(({ title, keys }) => (
          <Link key={title} inner label={title} to={`section-${title}`} keys={keys} {...shared} />
        ))}
    </>
  );
}
