import { Text } from '@mantine/core';
import { useCallback, useState } from 'react';
import { isOver, type JobView } from '../../../shared/job-view';
import { SampleGrid } from './SampleGrid';
import { cellOf, isPicture, sampleTable, type Place } from './samples';
import { SampleView } from './SampleView';
import { samplingText } from './status';

/** The pictures that a run draws of its prompts while it trains; nothing for a run without prompts. */
export function SamplesPanel({ run }: { readonly run: JobView }) {
  const [active, setActive] = useState<Place | null>(null);
  const [open, setOpen] = useState(false);
  // The table's pictures are told of a place by reference, so that a new column leaves them as they are.
  const moveTo = useCallback(
    (to: Place) =>
      setActive((from) => (from?.row === to.row && from.column === to.column ? from : to)),
    [],
  );
  const openAt = useCallback(
    (place: Place) => {
      moveTo(place);
      setOpen(true);
    },
    [moveTo],
  );
  const table = sampleTable(run);

  if (table.columns.length === 0)
    return run.samplePrompts > 0 && !isOver(run.status) ? (
      <Text size="sm" c="dimmed">
        Samples appear here as they are drawn.
      </Text>
    ) : null;
  const shown = open && active !== null ? cellOf(table, active) : null;
  return (
    <section className="panel samples-panel" aria-label="Samples">
      <header className="panel-head">
        <h3 className="panel-title">Samples</h3>
        <span className="reading">{!isOver(run.status) && samplingText(run)}</span>
      </header>
      <SampleGrid
        jobId={run.id}
        table={table}
        active={active}
        focusable={!open}
        onActive={moveTo}
        onOpen={openAt}
      />
      {active !== null && isPicture(shown) && (
        <SampleView
          jobId={run.id}
          table={table}
          place={active}
          sample={shown}
          onMove={moveTo}
          onClose={() => setOpen(false)}
        />
      )}
    </section>
  );
}
