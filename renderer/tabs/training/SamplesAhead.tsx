import { Anchor, Text } from '@mantine/core';
import type { TrainConfig } from '../../../shared/parameters';
import { samplePromptLines } from '../../../shared/sample-prompts';
import { showParameter } from '../../app/store';
import { formatQuantity } from '../../format';
import { samplingTimes } from './samples';

/** Says what will be drawn while it trains, and leads to where that is set. */
export function SamplesAhead({ config }: { readonly config: TrainConfig }) {
  const prompts = samplePromptLines(config.sample_prompts).length;
  return (
    <Text size="sm" c="dimmed">
      {prompts === 0
        ? 'No samples will be drawn. '
        : `${formatQuantity(prompts, 'sample')} will be drawn ${samplingTimes(config)}. `}
      <Anchor
        component="button"
        type="button"
        size="sm"
        onClick={() => showParameter('sample_prompts')}
      >
        {prompts === 0 ? 'Set prompts' : 'Change prompts'}
      </Anchor>
    </Text>
  );
}
