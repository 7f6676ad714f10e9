import { useEffect, useState } from 'react';
import { useProject } from '../../app/project';
import { WindowDrop } from '../../components/Drop';
import { useWindowFocus } from '../../components/useWindowFocus';
import { activeOf, takeImages, useView } from './concepts';
import { DatasetFields } from './DatasetFields';
import { PhotoPanel } from './PhotoPanel';
import { placesOf, type PhotoSource } from './places';
import { PrepareFooter } from './PrepareFooter';
import { preparationPlan, regularizationScan, trainingScan } from './store';
import { WhatWillBeMade } from './WhatWillBeMade';

/** Asks anew about the folders whenever the form changes or the window is come back to. */
function useQuestions(): void {
  const form = useProject((project) => project.dataset);
  const captionExtension = useProject((project) => project.captioning.caption_extension);
  const view = useView();
  const focused = useWindowFocus();
  const concept = form.concepts[activeOf(view, form)];
  const images = placesOf(concept, 'training');
  const imagesFolder = (images[view.place] ?? images[0])?.folder ?? '';
  const regularizationFolder = concept?.regularizationFolder ?? '';

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

/** What is dropped on the window takes the place of the images of the concept that is open. */
function replaceImages(paths: readonly string[]): void {
  takeImages(activeOf(useView.getState(), useProject.getState().dataset), paths, 'replace');
}

export function DatasetTab() {
  useQuestions();
  const [source, setSource] = useState<PhotoSource>('training');
  const takeDropped = (paths: readonly string[]) => {
    setSource('training');
    replaceImages(paths);
  };

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
      <WindowDrop hint="Drop to use as training images" onPaths={takeDropped} />
    </div>
  );
}
