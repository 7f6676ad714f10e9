import { Button, Group, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { Leftover, LastChange as Change } from '../../../shared/dataset-answers';
import { editDataset, useProject } from '../../app/project';
import { attempt } from '../../app/notify';
import { Note } from '../../components/bits';
import { baseName, formatQuantity, formatWhen } from '../../format';
import { renameFolder, setAside, undoLastChange, usePreparation } from './store';

/** What an earlier preparation left, and the ways to deal with it. None deletes anything. */
export function Leftovers({ leftovers }: { readonly leftovers: readonly Leftover[] }) {
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const idle = usePreparation((preparation) => preparation.kind === 'idle');
  const shown = leftovers.filter(({ path }) => !kept.has(path));
  if (shown.length === 0) return null;
  const names = shown.map(({ role, path, images }) => {
    return `${role}/${baseName(path)} (${formatQuantity(images, 'image')})`;
  });
  const one = shown.length === 1;
  const [renamed] = shown.filter(({ renameTo }) => renameTo !== null);
  return (
    <Note
      tone="warning"
      problem={{
        code: 'leftover_folder',
        message: `${names.join(', ')} ${one ? 'is' : 'are'} there from an earlier preparation and will be trained on too.`,
      }}
      action={
        <Group gap="xs" mt={6}>
          {renamed?.renameTo && (
            <Button
              size="compact-sm"
              variant="default"
              disabled={!idle}
              onClick={() => attempt(() => renameFolder(renamed.path, renamed.renameTo ?? ''))}
            >
              Rename {baseName(renamed.path)} to {baseName(renamed.renameTo)}
            </Button>
          )}
          <Button
            size="compact-sm"
            variant="default"
            disabled={!idle}
            onClick={() => attempt(() => setAside(shown.map(({ path }) => path)))}
          >
            Move aside
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => setKept(new Set([...kept, ...shown.map(({ path }) => path)]))}
          >
            Keep
          </Button>
        </Group>
      }
    />
  );
}

/** What was done last to the project's folders, also before the app was started. */
export function LastChange({ change }: { readonly change: Change }) {
  const idle = usePreparation((preparation) => preparation.kind === 'idle');
  return (
    <p className="last-change">
      <span className="numbers">
        {change.title}, {formatWhen(change.createdAt)}
      </span>
      <Button
        size="compact-sm"
        variant="subtle"
        disabled={!idle}
        aria-label={`Undo: ${change.title}`}
        onClick={() => attempt(() => undoLastChange(change.id))}
      >
        Undo
      </Button>
    </p>
  );
}

/** Copies or hard links. */
export function TransferChoice() {
  const transfer = useProject((project) => project.dataset.transfer);
  const idle = usePreparation((preparation) => preparation.kind === 'idle');
  return (
    <SegmentedControl
      size="xs"
      aria-label="How images come into the folders"
      disabled={!idle}
      value={transfer}
      onChange={(value) => editDataset({ transfer: value })}
      data={[
        { value: 'copy', label: 'Copy' },
        { value: 'link', label: 'Hard link' },
      ]}
    />
  );
}

/** What a link is, where one was chosen. */
export function LinkNote() {
  const isLink = useProject((project) => project.dataset.transfer === 'link');
  if (!isLink) return null;
  return (
    <Note
      tone="info"
      problem={{
        code: 'link',
        message:
          'A link takes no space: it is the same file under two names, so editing one edits both. Captions are copied.',
      }}
    />
  );
}
