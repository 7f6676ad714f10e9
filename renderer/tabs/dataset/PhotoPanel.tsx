import { NativeSelect, SegmentedControl, Text } from '@mantine/core';
import { IconPhoto, IconPhotoOff } from '@tabler/icons-react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { useProject } from '../../app/project';
import { Empty } from '../../components/bits';
import { UnusableFolder } from '../../components/UnusableFolder';
import { PhotoBrowser } from '../../components/photos/PhotoBrowser';
import { ReadingFolder } from '../../components/ReadingFolder';
import { baseName, formatBytes, formatCount, formatQuantity } from '../../format';
import { activeOf, useView } from './concepts';
import { placesOf, type PhotoSource, type Place } from './places';
import { regularizationScan, trainingScan } from './store';

const questions = { training: trainingScan, regularization: regularizationScan } as const;

const neverLeftOut = (): boolean => false;

/** The folder that is shown: of the concept that is open, the one that was chosen. */
function useShown(source: PhotoSource): Place {
  const form = useProject((project) => project.dataset);
  const view = useView();
  const places = placesOf(form.concepts[activeOf(view, form)], source);
  return places[view.place] ?? places[0] ?? { folder: '', files: null };
}

const shownOf = (images: readonly ImageInfo[], { files }: Place): readonly ImageInfo[] =>
  files === null ? images : images.filter(({ path }) => files.includes(path));

/** Which of several folders is shown. */
function PlaceChoice({ source }: { readonly source: PhotoSource }) {
  const form = useProject((project) => project.dataset);
  const view = useView();
  const places = placesOf(form.concepts[activeOf(view, form)], source);
  if (places.length < 2) return null;
  return (
    <NativeSelect
      aria-label="Which folder to show"
      className="place-choice"
      value={String(Math.min(view.place, places.length - 1))}
      onChange={(event) => useView.setState({ place: Number(event.currentTarget.value) })}
      data={places.map(({ folder, files }, index) => ({
        value: String(index),
        label: files === null ? baseName(folder) : `Pictures of ${baseName(folder)}`,
      }))}
    />
  );
}

function PhotoArea({ source }: { readonly source: PhotoSource }) {
  const { value, problem, pending } = questions[source].useAnswer();
  const shown = useShown(source);
  const { folder } = shown;
  if (folder === '' && source === 'training')
    return (
      <Empty icon={<IconPhoto size={40} stroke={1.25} />} title="Choose your photos">
        Drop folders or pictures on this window, or set Training images folder. Ten to thirty sharp,
        varied photos of one subject are plenty.
      </Empty>
    );
  if (folder === '')
    return (
      <Empty icon={<IconPhoto size={40} stroke={1.25} />} title="No regularisation images">
        They are optional: pictures of the class in general, such as other women for the class
        “woman”.
      </Empty>
    );
  if (problem !== null) return <UnusableFolder problem={problem} />;
  // The answer may still be that of the folder before.
  if (value?.folder !== folder) return pending && <ReadingFolder />;
  const images = shownOf(value.images, shown);
  if (images.length === 0)
    return (
      <Empty icon={<IconPhotoOff size={40} stroke={1.25} />} title="No images in this folder">
        Choose a folder that holds the pictures themselves, such as .jpg, .png, .webp or .heic
        files.
      </Empty>
    );
  return <PhotoBrowser key={folder} images={images} isLeftOut={neverLeftOut} onLeaveOut={null} />;
}

function Summary({ source }: { readonly source: PhotoSource }) {
  const scan = questions[source].useAnswer((answer) => answer.value);
  const shown = useShown(source);
  if (scan?.folder !== shown.folder) return null;
  const images = shownOf(scan.images, shown);
  if (images.length === 0) return null;
  const broken = images.filter(({ facts }) => (facts?.problem ?? null) !== null).length;
  const unread = images.filter(({ facts }) => facts === null).length;
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  return (
    <Text size="sm" c="dimmed" className="numbers">
      {formatQuantity(images.length, 'image')}, {formatBytes(bytes)}
      {unread > 0 && `, ${formatCount(unread)} still to be read`}
      {broken > 0 && <span className="bad">, {broken} cannot be used</span>}
    </Text>
  );
}

interface PhotoPanelProps {
  readonly source: PhotoSource;
  readonly onSource: (source: PhotoSource) => void;
}

export function PhotoPanel({ source, onSource }: PhotoPanelProps) {
  return (
    <section className="photo-panel" aria-label="Images">
      <header className="main-head">
        <SegmentedControl
          size="sm"
          aria-label="Which images to show"
          value={source}
          onChange={onSource}
          data={[
            { value: 'training', label: 'Training' },
            { value: 'regularization', label: 'Regularisation' },
          ]}
        />
        <PlaceChoice source={source} />
        <Summary source={source} />
      </header>
      <PhotoArea source={source} />
    </section>
  );
}
