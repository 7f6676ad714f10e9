import { SegmentedControl, Text } from '@mantine/core';
import { IconPhoto, IconPhotoOff } from '@tabler/icons-react';
import { useProject } from '../../app/project';
import { Empty } from '../../components/bits';
import { UnusableFolder } from '../../components/UnusableFolder';
import { PhotoBrowser } from '../../components/photos/PhotoBrowser';
import { ReadingFolder } from '../../components/ReadingFolder';
import { formatBytes, formatCount, formatQuantity } from '../../format';
import { regularizationScan, trainingScan } from './store';

export type PhotoSource = 'training' | 'regularization';

const questions = { training: trainingScan, regularization: regularizationScan } as const;

const neverLeftOut = (): boolean => false;

const useFolder = (source: PhotoSource): string =>
  useProject(({ dataset }) =>
    source === 'training' ? dataset.imagesFolder : dataset.regularizationFolder,
  );

function PhotoArea({ source }: { readonly source: PhotoSource }) {
  const { value, problem, pending } = questions[source].useAnswer();
  const folder = useFolder(source);
  if (folder === '' && source === 'training')
    return (
      <Empty icon={<IconPhoto size={40} stroke={1.25} />} title="Choose your photos">
        Drop a folder of pictures on this window, or set Training images folder. Ten to thirty
        sharp, varied photos of one subject are plenty.
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
  if (value.images.length === 0)
    return (
      <Empty icon={<IconPhotoOff size={40} stroke={1.25} />} title="No images in this folder">
        Choose a folder that holds the pictures themselves, such as .jpg, .png, .webp or .heic
        files.
      </Empty>
    );
  return (
    <PhotoBrowser key={folder} images={value.images} isLeftOut={neverLeftOut} onLeaveOut={null} />
  );
}

function Summary({ source }: { readonly source: PhotoSource }) {
  const scan = questions[source].useAnswer((answer) => answer.value);
  const folder = useFolder(source);
  if (scan?.folder !== folder || scan.images.length === 0) return null;
  const { images } = scan;
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
        <Summary source={source} />
      </header>
      <PhotoArea source={source} />
    </section>
  );
}
