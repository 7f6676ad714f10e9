import { Button, Modal, SegmentedControl, Text } from '@mantine/core';
import { IconPlayerTrackNext } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { JobView, SavedState } from '../../../shared/job-view';
import type { TrainConfig } from '../../../shared/parameters';
import type { EventOf } from '../../../shared/protocol';
import { call } from '../../api';
import { attempt } from '../../app/notify';
import { Note } from '../../components/bits';
import { HintedButton } from '../../components/HintedButton';
import { NumberField } from '../../components/NumberField';
import { createQuestion } from '../../question';
import { lengthOf, longerConfig, outlook, type Length } from './longer';
import { startTraining } from './store';
import { useRunningRun } from './useRun';

/** What the longer run will do: asked apart from the plan of the parameters as they stand. */
const longerPlan = createQuestion('plan:make', 400);

interface TrainLongerProps {
  readonly run: JobView;
  readonly step: EventOf<'step'>;
  readonly state: SavedState;
}

interface FormProps extends TrainLongerProps {
  readonly config: TrainConfig;
  readonly onClose: () => void;
}

function LongerForm({ run, step, state, config, onClose }: FormProps) {
  const [length, setLength] = useState<Length>(() => lengthOf(config, step.total));
  const [starting, setStarting] = useState(false);
  const { value: plan, problem, pending } = longerPlan.useAnswer();
  const longer = longerConfig(config, length, run.folder);
  const total = pending ? undefined : plan?.totalSteps;
  const { text, enough } = outlook(state.step, total, step.secondsPerStep);
  const unusable = longer === null;

  useEffect(() => {
    longerPlan.ask(longerConfig(config, length, run.folder));
    return () => longerPlan.ask(null);
  }, [config, length, run.folder]);

  const start = () => {
    if (longer === null) return;
    setStarting(true);
    attempt(() =>
      startTraining(longer)
        .then(onClose)
        .finally(() => setStarting(false)),
    );
  };
  return (
    <div className="longer-form">
      <SegmentedControl
        aria-label="How its length is given"
        data={[
          { value: 'epoch', label: 'Epochs' },
          { value: 'max_train_steps', label: 'Steps' },
        ]}
        value={length.by}
        onChange={(by) => setLength(lengthOf(config, step.total, by))}
      />
      <NumberField
        key={length.by}
        name="longer"
        label={length.by === 'epoch' ? 'Epochs in all' : 'Steps in all'}
        value={length.count}
        min={1}
        error={unusable ? 'It must be a whole number of at least 1.' : null}
        onChange={(count) => setLength({ ...length, count })}
      />
      <div className="longer-outlook">
        {problem === null ? (
          <Text size="sm" role="status" className="numbers">
            {unusable ? '' : text}
          </Text>
        ) : (
          <Note problem={problem} tone="error" />
        )}
      </div>
      <div className="longer-actions">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          disabled={unusable || !enough || problem !== null}
          loading={starting}
          onClick={start}
        >
          Train longer
        </Button>
      </div>
    </div>
  );
}

/** A run that has ended goes on as a run of its own, to more epochs or steps than it had. */
export function TrainLonger(props: TrainLongerProps) {
  const [config, setConfig] = useState<TrainConfig | null>(null);
  const running = useRunningRun();
  const open = () =>
    attempt(async () => setConfig(await call('jobs:config', { jobId: props.run.id })));
  const close = () => setConfig(null);
  return (
    <>
      <HintedButton
        variant="default"
        leftSection={<IconPlayerTrackNext size={16} aria-hidden />}
        hint={
          running === null
            ? 'Goes on from its end to more epochs or steps, as a run of its own.'
            : 'Another run is under way.'
        }
        unavailable={running !== null}
        onClick={open}
      >
        Train longer…
      </HintedButton>
      <Modal
        opened={config !== null}
        onClose={close}
        title="Train longer"
        centered
        // Nothing behind it scrolls, and the lock would need a style element without a nonce.
        lockScroll={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {config !== null && <LongerForm {...props} config={config} onClose={close} />}
      </Modal>
    </>
  );
}
