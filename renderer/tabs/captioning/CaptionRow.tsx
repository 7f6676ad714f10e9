import { Textarea } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconPencil, IconSparkles } from '@tabler/icons-react';
import { useEffect, type KeyboardEvent } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { thumbnailUrl } from '../../api';
import { RowChoice, RowMenu } from './RowMenu';
import { draftCaption, revertCaption, saveCaption, useCaptioning } from './store';

function RowState({ path }: { readonly path: string }) {
  const saving = useCaptioning((state) => state.saving[path]);
  const outcome = useCaptioning((state) => state.outcomes[path]);
  const edited = useCaptioning((state) => state.drafts[path] !== undefined);
  if (saving?.kind === 'failed')
    return (
      <span className="row-state bad">
        <IconAlertTriangle size={14} aria-hidden /> Not saved: {saving.problem.message}
      </span>
    );
  if (edited)
    return (
      <span className="row-state">
        <IconPencil size={14} aria-hidden /> Ctrl+Enter saves, Esc reverts
      </span>
    );
  if (saving?.kind === 'saved')
    return (
      <span className="row-state good">
        <IconCheck size={14} aria-hidden /> Saved
      </span>
    );
  if (outcome?.kind === 'failed')
    return (
      <span className="row-state bad">
        <IconAlertTriangle size={14} aria-hidden /> {outcome.reason}
      </span>
    );
  if (outcome?.kind === 'written')
    return (
      <span className="row-state good">
        <IconSparkles size={14} aria-hidden /> New
      </span>
    );
  return null;
}

function Thumbnail({ image }: { readonly image: ImageInfo }) {
  if ((image.facts?.problem ?? null) === null)
    return <img src={thumbnailUrl(image.id)} alt="" loading="lazy" draggable={false} />;
  return <IconAlertTriangle size={22} aria-hidden className="bad" />;
}

/** A picture beside its caption. What is typed is saved when the field is left, or when the row scrolls away. */
export function CaptionRow({ image }: { readonly image: ImageInfo }) {
  const { path } = image;
  const problem = image.facts?.problem ?? null;
  const draft = useCaptioning((state) => state.drafts[path]);
  const save = () => void saveCaption(path);

  useEffect(() => () => void saveCaption(path), [path]);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    }
    if (event.key === 'Escape') {
      event.stopPropagation();
      revertCaption(path);
    }
  };

  return (
    <div className="caption-row">
      <div className="caption-picture">
        <Thumbnail image={image} />
      </div>
      <div className="caption-text">
        <div className="caption-head">
          <RowChoice image={image} />
          <span className="tile-name">{image.name}</span>
          <span className="row-aside">
            <RowState path={path} />
            <RowMenu image={image} />
          </span>
        </div>
        {problem === null ? (
          <Textarea
            aria-label={`Caption of ${image.name}`}
            rows={3}
            placeholder="No caption yet. Type one, or press Caption images."
            value={draft ?? image.caption ?? ''}
            onChange={(event) => draftCaption(path, event.currentTarget.value)}
            onBlur={save}
            onKeyDown={onKeyDown}
          />
        ) : (
          <p className="bad caption-broken">Cannot be used: {problem}</p>
        )}
      </div>
    </div>
  );
}
