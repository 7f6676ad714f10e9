import { Badge, Loader, Text } from '@mantine/core';
import { IconFolder, IconFolderPlus } from '@tabler/icons-react';
import type { PreparationPlan } from '../../../shared/dataset-answers';
import { configOf, useProject } from '../../app/project';
import { Note, PathText, Section, Stat } from '../../components/bits';
import { formatBytes, formatCount, formatQuantity } from '../../format';
import { LastChange, Leftovers, LinkNote, TransferChoice } from './FolderChanges';
import { preparationPlan } from './store';

type PlannedFolder = PreparationPlan['folders'][number];

/** How many pictures one step of the training sees. */
function usePicturesPerStep(): number {
  return useProject(({ training }) => {
    const { train_batch_size, gradient_accumulation_steps, num_processes } = configOf(training);
    const pictures = train_batch_size * gradient_accumulation_steps * num_processes;
    // The draft may hold what is no number yet.
    return pictures >= 1 ? pictures : 1;
  });
}

/** `12 images × 20, 60 steps`. Regularization pictures take as many steps as there are others. */
function FolderSize({ folder }: { readonly folder: PlannedFolder }) {
  const perStep = usePicturesPerStep();
  const { role, images, repeats, added, linkable, bytes } = folder;
  if (role === 'log' || role === 'model') return 'empty for now';
  const steps = Math.ceil((images * repeats) / perStep);
  const there = images - added;
  const size = bytes === 0 && linkable > 0 ? 'linked' : formatBytes(bytes);
  return (
    <>
      {formatQuantity(images, 'image')} × {repeats}
      {role === 'img' && `, ${formatQuantity(steps, 'step')}`}
      <small>
        {there > 0 && `${formatCount(there)} there already`}
        {there > 0 && added > 0 && ', '}
        {(there === 0 || added > 0) && size}
      </small>
    </>
  );
}

function Folders({ folders }: { readonly folders: PreparationPlan['folders'] }) {
  return (
    <ul className="folders">
      {folders.map((folder) => (
        <li key={folder.path}>
          {folder.exists ? (
            <IconFolder size={18} aria-hidden />
          ) : (
            <IconFolderPlus size={18} aria-hidden />
          )}
          <span className="folder-path">
            <PathText path={folder.path} />
          </span>
          {folder.exists && (
            <Badge variant="default" size="sm" title="What is in it stays.">
              Exists
            </Badge>
          )}
          <span className="folder-size numbers">
            <FolderSize folder={folder} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Numbers({ value }: { readonly value: PreparationPlan }) {
  return (
    <dl className="stats">
      <Stat label="Images" value={formatCount(value.images)} />
      <Stat
        label="Size"
        value={formatBytes(value.bytes)}
        detail={`${formatBytes(value.freeBytes)} free`}
      />
      <Stat
        label="Steps an epoch"
        value={value.plan === null ? '–' : formatCount(value.plan.stepsPerEpoch)}
        detail={value.plan === null ? 'known once it can be planned' : undefined}
      />
    </dl>
  );
}

export function WhatWillBeMade() {
  const { value, problem, pending } = preparationPlan.useAnswer();
  return (
    <div
      className="made-panel"
      tabIndex={0}
      role="group"
      aria-label="Preview"
      data-pending={pending || undefined}
    >
      <Section
        title="What will be made"
        aside={
          <span className="made-head">
            {pending && <Loader size={14} role="img" aria-label="Working it out" />}
            <TransferChoice />
          </span>
        }
      >
        {problem && <Note problem={problem} tone="error" />}
        {value && value.folders.length > 0 ? (
          <>
            <Numbers value={value} />
            <Folders folders={value.folders} />
          </>
        ) : (
          <Text size="sm" c="dimmed">
            Fill in the subject, the images and the destination, and the folders in Kohya’s layout
            are listed here before anything is copied.
          </Text>
        )}
        <LinkNote />
        {value && <Leftovers leftovers={value.leftovers} />}
        {value?.warnings.map((warning) => (
          <Note key={warning.code + warning.message} problem={warning} tone="warning" />
        ))}
        {value?.lastChange && <LastChange change={value.lastChange} />}
      </Section>
    </div>
  );
}
