import { Text } from '@mantine/core';
import { IconMessage2, IconPhotoOff } from '@tabler/icons-react';
import { useCallback, useEffect } from 'react';
import { runningJob, useJobs } from '../../app/jobs';
import { editCaptioning, useProject } from '../../app/project';
import { Empty } from '../../components/bits';
import { UnusableFolder } from '../../components/UnusableFolder';
import { takeFolder, WindowDrop } from '../../components/Drop';
import { ReadingFolder } from '../../components/ReadingFolder';
import { useWindowFocus } from '../../components/useWindowFocus';
import { formatCount, formatQuantity } from '../../format';
import { CaptionFields } from './CaptionFields';
import { CaptionFooter } from './CaptionFooter';
import { CaptionList } from './CaptionList';
import { OffersDialog } from './OffersDialog';
import { readFolder, useCaptioning } from './store';

const QUIET_MS = 300;

function Captions() {
  const { folder, images, problem, reading } = useCaptioning();
  if (folder === '')
    return (
      <Empty icon={<IconMessage2 size={40} stroke={1.25} />} title="Choose a folder of images">
        Prepare training data in the first tab and its folder appears here, or drop any folder of
        pictures on this window.
      </Empty>
    );
  if (problem !== null) return <UnusableFolder problem={problem} />;
  if (images.length > 0) return <CaptionList images={images} />;
  if (reading) return <ReadingFolder />;
  return (
    <Empty icon={<IconPhotoOff size={40} stroke={1.25} />} title="No images in this folder">
      Choose the folder that holds the pictures themselves, such as img/20_rihanna woman.
    </Empty>
  );
}

function Head() {
  const images = useCaptioning((state) => state.images);
  const captioned = images.filter(({ caption }) => caption !== null && caption !== '').length;
  return (
    <header className="main-head">
      <h2 className="main-title">Captions</h2>
      {images.length > 0 && (
        <Text size="sm" c="dimmed" className="numbers">
          {formatCount(captioned)} of {formatQuantity(images.length, 'image')} captioned
        </Text>
      )}
    </header>
  );
}

export function CaptioningTab() {
  const folder = useProject((project) => project.captioning.image_dir);
  const extension = useProject((project) => project.captioning.caption_extension);
  const running = useJobs((jobs) => runningJob(jobs, 'caption') !== null);
  const focused = useWindowFocus();

  useEffect(() => {
    const timer = window.setTimeout(() => void readFolder(), QUIET_MS);
    return () => window.clearTimeout(timer);
  }, [folder, extension, focused]);

  const takeImages = useCallback(
    ([path]: readonly string[]) =>
      path !== undefined && takeFolder(path, (image_dir) => editCaptioning({ image_dir })),
    [],
  );
  return (
    <div className="tab-layout">
      <aside className="side" aria-label="Captioning settings">
        <div className="side-scroll" tabIndex={0} role="group" aria-label="Settings">
          <CaptionFields disabled={running} />
        </div>
        <CaptionFooter />
      </aside>
      <section className="main" aria-label="Captions">
        <Head />
        <Captions />
      </section>
      <OffersDialog />
      <WindowDrop hint="Drop to use as Image folder" onPaths={takeImages} />
    </div>
  );
}
