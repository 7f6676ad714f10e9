import { Button, Group, Modal, SegmentedControl, Stack, Table, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { DatasetForm } from '../../../../shared/dataset-form';
import { call } from '../../../api';
import { attempt, notifyDone } from '../../../app/notify';
import { editDataset, useProject } from '../../../app/project';
import { Note } from '../../../components/bits';
import { NumberField } from '../../../components/NumberField';
import { PathField } from '../../../components/PathField';
import { formatCount, formatQuantity } from '../../../format';
import { createQuestion } from '../../../question';
import { conceptName, offerUndo } from '../concepts';
import { notifyUndone, preparationPlan } from '../store';
import { changes, linesOfFolder, linesOfForm, type BalanceLine } from './rows';

const balancePlan = createQuestion('datasets:planBalance', 300);

/** kohya_ss's own default. */
const DEFAULT_STEPS = 1000;
const MOST_STEPS = 1_000_000;

type Subject = 'form' | 'folder';

interface BalanceDialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

function Lines({ lines }: { readonly lines: readonly BalanceLine[] }) {
  return (
    <Table className="numbers balance-table" verticalSpacing={6}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Concept</Table.Th>
          <Table.Th>Images</Table.Th>
          <Table.Th>Repeats now</Table.Th>
          <Table.Th>Repeats then</Table.Th>
          <Table.Th>Steps then</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {lines.map((line) => (
          <Table.Tr key={line.key} data-changes={changes(line) || undefined}>
            <Table.Td>
              {line.name}
              {line.problem !== null && <small>{line.problem}</small>}
            </Table.Td>
            <Table.Td>{formatCount(line.images)}</Table.Td>
            <Table.Td>{line.repeats ?? '–'}</Table.Td>
            <Table.Td>{line.problem === null ? line.newRepeats : '–'}</Table.Td>
            <Table.Td>
              {line.problem === null ? formatCount(line.images * line.newRepeats) : '–'}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function applyToForm(before: DatasetForm, lines: readonly BalanceLine[]): void {
  const concepts = before.concepts.map((concept, index) => {
    const line = lines[index];
    return line && changes(line) ? { ...concept, repeats: line.newRepeats } : concept;
  });
  editDataset({ concepts });
  offerUndo('Repeats are balanced', 'Prepare the training data to use them.', before);
}

async function applyToFolder(folder: string, steps: number): Promise<void> {
  const { renamed } = await call('datasets:balance', { folder, steps });
  const { lastChange } = await call('datasets:planBalance', { folder, steps });
  preparationPlan.ask(useProject.getState().dataset);
  notifyDone({
    title: `${formatQuantity(renamed, 'folder')} renamed`,
    message: 'Each concept now gets about as many steps.',
    ...(lastChange && {
      action: {
        label: 'Undo',
        run: () =>
          attempt(async () => {
            notifyUndone(await call('datasets:undo', { folder, id: lastChange.id }));
            preparationPlan.ask(useProject.getState().dataset);
          }),
      },
    }),
  });
}

/** What balancing comes to, with what it is applied by; null while there is nothing to show. */
function useLines(subject: Subject, folder: string, steps: number | null): BalanceLine[] | null {
  const form = useProject((project) => project.dataset);
  const folders = preparationPlan.useAnswer((answer) => answer.value?.folders);
  const answer = balancePlan.useAnswer((known) => known.value);
  useEffect(() => {
    const asks = subject === 'folder' && folder !== '' && steps !== null;
    balancePlan.ask(asks ? { folder, steps } : null);
  }, [subject, folder, steps]);
  if (steps === null) return null;
  if (subject === 'folder') return answer === null ? null : linesOfFolder(answer);
  const nameOf = (index: number) => conceptName(form.concepts[index], index);
  return linesOfForm(form, folders ?? [], nameOf, steps);
}

function BalanceForm({ onClose }: { readonly onClose: () => void }) {
  const form = useProject((project) => project.dataset);
  const trainFolder = useProject((project) => String(project.training.train_data_dir ?? ''));
  const [subject, setSubject] = useState<Subject>('form');
  const [folder, setFolder] = useState(trainFolder);
  const [target, setTarget] = useState<number | string | null>(DEFAULT_STEPS);
  const isValid =
    typeof target === 'number' && Number.isInteger(target) && target >= 1 && target <= MOST_STEPS;
  const steps = isValid ? target : null;
  const lines = useLines(subject, folder, steps);
  const problem = balancePlan.useAnswer((answer) => answer.problem);

  const apply = () => {
    if (lines === null || steps === null) return;
    onClose();
    if (subject === 'form') applyToForm(form, lines);
    else attempt(() => applyToFolder(folder, steps));
  };

  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        Gives each concept about as many steps an epoch, by its repeats: images × repeats, at batch
        size 1. Nothing is changed before you apply it.
      </Text>
      <SegmentedControl
        aria-label="What to balance"
        value={subject}
        onChange={setSubject}
        data={[
          { value: 'form', label: 'These concepts' },
          { value: 'folder', label: 'Folders that exist' },
        ]}
      />
      {subject === 'folder' && (
        <PathField
          name="balanceFolder"
          label="Folder of <repeats>_<name> folders"
          value={folder}
          error={problem?.message}
          onChange={setFolder}
        />
      )}
      <NumberField
        inline
        name="balanceSteps"
        label="Training steps per concept per epoch"
        value={target}
        min={1}
        error={isValid ? null : `It must be a whole number from 1 to ${formatCount(MOST_STEPS)}.`}
        onChange={setTarget}
      />
      {lines !== null && <Lines lines={lines} />}
      {subject === 'folder' && (
        <Note
          tone="info"
          problem={{
            code: 'multiplier',
            message:
              'A name that begins with {1.5} gets one and a half times the steps. Folders are renamed, never deleted.',
          }}
        />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={!lines?.some(changes)} onClick={apply}>
          {subject === 'form' ? 'Use these repeats' : 'Rename folders'}
        </Button>
      </Group>
    </Stack>
  );
}

/** Balancing of repeats: shown first, then applied, and undone when that is wished. */
export function BalanceDialog({ opened, onClose }: BalanceDialogProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Balance repeats"
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <BalanceForm onClose={onClose} />
    </Modal>
  );
}
