import { ActionIcon, Checkbox, Menu } from '@mantine/core';
import { IconDots, IconListDetails, IconRefresh } from '@tabler/icons-react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { runningJob, useJobs } from '../../app/jobs';
import { attempt } from '../../app/notify';
import { useProject } from '../../app/project';
import { choose, useSelection } from '../../app/selection';
import { useCaptionerKind } from './captioner';
import { captionImages, useCaptioning } from './store';

const CANDIDATES = 4;

/** Chooses a picture for the next run. */
export function RowChoice({ image }: { readonly image: ImageInfo }) {
  const folder = useCaptioning((state) => state.folder);
  const chosen = useSelection(
    (selection) => selection.folder === folder && selection.paths.includes(image.path),
  );
  return (
    <Checkbox
      size="xs"
      aria-label={`Select ${image.name}`}
      checked={chosen}
      onChange={(event) => choose(folder, image.path, event.currentTarget.checked)}
    />
  );
}

/** What can be done with one picture. */
export function RowMenu({ image }: { readonly image: ImageInfo }) {
  const busy = useJobs((jobs) => runningJob(jobs, 'caption') !== null);
  const model = useProject((project) => project.captioning.model);
  const tagger = useCaptionerKind(model) === 'wd14';
  const run = (candidates: number) =>
    attempt(() => captionImages({ images: [image.path], candidates, again: true }));
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          aria-label={`More for ${image.name}`}
          disabled={busy}
        >
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconRefresh size={16} />} onClick={() => run(0)}>
          Caption again
        </Menu.Item>
        <Menu.Item
          leftSection={<IconListDetails size={16} />}
          disabled={tagger}
          onClick={() => run(CANDIDATES)}
        >
          Candidates…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
