import { Loader, Text } from '@mantine/core';
import { useEffect } from 'react';
import type { Device } from '../../../../shared/protocol';
import type { Memory } from '../../../../shared/worker-protocol';
import { Note, Section } from '../../../components/bits';
import { useWindowFocus } from '../../../components/useWindowFocus';
import { formatBytes } from '../../../format';
import { devicesInUse } from '../../training/devices';
import { askHardware, useHardware } from '../../training/store';
import { useChecked, type Checked } from '../useChecked';
import { FitMyGpu } from './FitMyGpu';
import { barOf, decisive, howCounted, phaseLabels, tightest, verdict } from './memory';
import { runMemory } from './store';

function PartsBar({ memory }: { readonly memory: Memory }) {
  const { segments, limit } = barOf(memory);
  return (
    <>
      <div className="memory-bar" aria-hidden>
        {segments.map(({ key, share }) => (
          <span key={key} data-part={key} style={{ width: `${100 * share}%` }} />
        ))}
        {limit !== null && limit < 1 && (
          <span className="memory-limit" style={{ left: `${100 * limit}%` }} />
        )}
      </div>
      <dl className="memory-parts" aria-label="A training step">
        {segments.map(({ key, label, bytes }) => (
          <div key={key}>
            <dt>
              <span className="memory-swatch" data-part={key} aria-hidden />
              {label}
            </dt>
            <dd className="numbers">{formatBytes(bytes)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Phases({ memory }: { readonly memory: Memory }) {
  const highest = decisive(memory);
  const mapped = memory.phases.filter(({ fileBytes }) => fileBytes > 0);
  return (
    <>
      <table className="memory-phases">
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col">Peak</th>
          </tr>
        </thead>
        <tbody>
          {memory.phases.map(({ phase, bytes, fileBytes }) => (
            <tr key={phase} data-highest={phase === highest || undefined}>
              <th scope="row">
                {phaseLabels[phase] ?? phase}
                {phase === highest && <span className="memory-mark">decides</span>}
              </th>
              <td className="numbers">
                {formatBytes(bytes - fileBytes)}
                {fileBytes > 0 && <small> + {formatBytes(fileBytes)}</small>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {mapped.length > 0 && (
        <Text size="xs" c="dimmed">
          After the + is the model’s file as it is read. The system takes that memory back when it
          runs short.
        </Text>
      )}
    </>
  );
}

function Facts({ memory, device }: { readonly memory: Memory; readonly device: Device }) {
  return (
    <>
      <p
        className="memory-verdict"
        data-fits={memory.fits ?? undefined}
        role="status"
        aria-live="polite"
      >
        {verdict(memory, device)}
      </p>
      <PartsBar memory={memory} />
      {memory.fits === false && <FitMyGpu memory={memory} device={device} />}
      <Phases memory={memory} />
      <Text size="xs" c="dimmed">
        {howCounted(memory, device)}
      </Text>
    </>
  );
}

/** Keeps the answer up to date with the parameters, while they can be used; the device that it is for. */
function useMemoryQuestion({ config, problems }: Checked): Device | null {
  const focused = useWindowFocus();
  const devices = useHardware((answer) => answer.value?.devices);
  useEffect(askHardware, []);
  const device = tightest(devicesInUse(config, devices ?? []));
  const usable = device !== null && Object.keys(problems).length === 0;
  useEffect(
    () => runMemory.ask(usable ? { config, device } : null),
    [config, device, usable, focused],
  );
  return device;
}

/** What the run needs of the memory of the device that it is trained on, and how to make it fit. */
export function MemoryPanel() {
  const device = useMemoryQuestion(useChecked());
  const { value, problem, pending } = runMemory.useAnswer();
  return (
    <div data-pending={pending || undefined} className="memory-panel">
      <Section
        title="Memory needed"
        aside={pending && <Loader size={14} role="img" aria-label="Working out the memory" />}
      >
        {value !== null && device !== null && <Facts memory={value} device={device} />}
        {problem && <Note problem={problem} tone="error" />}
        {value === null && problem === null && (
          <Text size="sm" c="dimmed">
            What it needs appears once the run can be planned.
          </Text>
        )}
      </Section>
    </div>
  );
}
