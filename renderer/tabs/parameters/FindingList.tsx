import { Anchor } from '@mantine/core';
import { showParameter } from '../../app/store';
import type { Finding } from './useFindings';

/** As many as fit beside a button. */
const MOST = 4;

/** What is to be known before a start; each leads to its field. */
export function FindingList({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <ul className="finding-list">
      {findings.slice(0, MOST).map(({ key, message, tone }) => (
        <li key={`${key ?? ''}${message}`} data-tone={tone}>
          {key === null ? (
            message
          ) : (
            <Anchor
              component="button"
              type="button"
              size="sm"
              ta="left"
              title={message}
              onClick={() => showParameter(key)}
            >
              {message}
            </Anchor>
          )}
        </li>
      ))}
      {findings.length > MOST && <li>and {findings.length - MOST} more</li>}
    </ul>
  );
}
