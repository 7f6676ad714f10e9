import { useCallback, useEffect, useState } from 'react';
import { takeFolder, WindowDrop } from '../../components/Drop';
import { editDataset, useProject } from '../../app/project';
import { useWindowFocus } from '../../components/useWindowFocus';
import { DatasetFields } from './DatasetFields';
import { PhotoPanel, type PhotoSource } from './PhotoPanel';
import { PrepareFooter } from './PrepareFooter';
import { preparationPlan, regularizationScan, trainingScan } from './store';
import { WhatWillBeMade } from './WhatWillBeMade';

/** Asks anew about the folders whenever the form changes or the window is come back to. */
function useQuestions(): void {
  const form = useProject((project) => project.dataset);
  const captionExtension = useProject((project) => project.captioning.caption_extension);
  const focused = useWindowFocus();
  const { imagesFolder, regularizationFolder } = form;

  useEffect(() => {
    trainingScan.ask(imagesFolder === '' ? null : { folder: imagesFolder, captionExtension });
  }, [imagesFolder, captionExtension, focused]);
  useEffect(() => {
    regularizationScan.ask(
      regularizationFolder === '' ? null : { folder: regularizationFolder, captionExtension },
    );
  }, [regularizationFolder, captionExtension, focused]);
  useEffect(() => {
    preparationPlan.ask(form);
  }, [form, focused]);
}

export function DatasetTab() {
  useQuestions();
  const [source, setSource] = useState<PhotoSource>('training');
  const takeImages = useCallback((path: string) => {
    takeFolder(path, (folder) => {
      editDataset({ imagesFolder: folder });
      setSource('training');
    });
  }, []);

  return (
    <div className="tab-layout">
      <aside className="side" aria-label="Dataset settings">
        <div className="side-scroll" tabIndex={0} role="group" aria-label="Settings">
          <DatasetFields />
        </div>
        <PrepareFooter />
      </aside>
      <div className="main dataset-main">
        <PhotoPanel source={source} onSource={setSource} />
        <WhatWillBeMade />
      </div>
      <WindowDrop hint="Drop to use as Training images folder" onPath={takeImages} />
    </div>
  );
}
