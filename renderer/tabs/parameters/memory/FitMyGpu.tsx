import { Button, Text } from '@mantine/core';
import { IconWand } from '@tabler/icons-react';
import { useId, useState } from 'react';
import type { Device } from '../../../../shared/protocol';
import type { Memory, MemoryChange } from '../../../../shared/worker-protocol';
import { editParameters } from '../../../app/project';
import { formatBytes } from '../../../format';
import { placeOf, valuesOf } from './memory';

function Changes({ changes }: { readonly changes: readonly MemoryChange[] }) {
  return (
    <ul className="memory-changes">
      {changes.map(({ advice, cost, values }) => (
        <li key={advice}>
          <Text size="sm" fw={500}>
            {advice}
          </Text>
          <Text size="sm" c="dimmed">
            Costs: {cost}
          </Text>
          {Object.keys(values).length === 0 && (
            <Text size="sm" className="attention">
              Change it in the dataset file yourself.
            </Text>
          )}
        </li>
      ))}
    </ul>
  );
}

interface FitMyGpuProps {
  readonly memory: Memory;
  readonly device: Device;
}

/** Shows the changes that make a run fit, with what they cost, and makes them. */
export function FitMyGpu({ memory: { fit, leastBytes }, device }: FitMyGpuProps) {
  const [shown, setShown] = useState(false);
  const list = useId();
  if (fit === null)
    return (
      <Text size="sm" className="bad">
        No parameter makes it fit: the least that it can need is {formatBytes(leastBytes)}.
      </Text>
    );

  const values = valuesOf(fit);
  const name = device.kind === 'cpu' ? 'Fit this machine' : 'Fit my GPU';
  return (
    <div className="memory-fit">
      <Button
        variant="light"
        leftSection={<IconWand size={16} aria-hidden />}
        aria-expanded={shown}
        aria-controls={list}
        onClick={() => setShown(!shown)}
      >
        {name}
      </Button>
      <div id={list} hidden={!shown} role="group" aria-label="What makes it fit">
        <Text size="sm">It should fit {placeOf(device)} with these changes:</Text>
        <Changes changes={fit} />
        {values.length > 0 && (
          <Button fullWidth onClick={() => editParameters(values, name)}>
            Make these changes
          </Button>
        )}
      </div>
    </div>
  );
}
