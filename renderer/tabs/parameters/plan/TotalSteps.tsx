import { Text } from '@mantine/core';
import type { TrainConfig } from '../../../../shared/parameters';
import type { Plan } from '../../../../shared/protocol';
import { formatCount, formatQuantity } from '../../../format';

interface TotalStepsProps {
  readonly plan: Plan;
  readonly config: TrainConfig;
}

/** How long the run is, and what decides it. */
export function TotalSteps({ plan, config }: TotalStepsProps) {
  return (
    <>
      <p className="total-steps">
        <strong className="numbers">{formatCount(plan.totalSteps)}</strong> steps in{' '}
        {formatQuantity(plan.epochs, 'epoch')}
      </p>
      <Text size="sm" c="dimmed">
        {config.max_train_steps > 0
          ? 'Max train steps decides; the last epoch may be cut short.'
          : `${formatQuantity(plan.epochs, 'epoch')} × ${formatCount(plan.stepsPerEpoch)} steps.`}
      </Text>
    </>
  );
}
