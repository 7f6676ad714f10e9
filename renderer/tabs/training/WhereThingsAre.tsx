import { Anchor } from '@mantine/core';
import { useEffect } from 'react';
import type { ParameterKey, TrainConfig } from '../../../shared/parameters';
import { showParameter } from '../../app/store';
import { Fact, PathText, Section } from '../../components/bits';
import { describeIdentity } from '../parameters/identity';
import { modelIdentity } from '../parameters/store';
import { formatBytes } from '../../format';
import { useChecked } from '../parameters/useChecked';
import { describeProcesses, devicesInUse, namesOf } from './devices';
import { askHardware, useHardware } from './store';

interface PlaceProps {
  readonly label: string;
  readonly name: ParameterKey;
  readonly value: string;
  readonly remark?: string | undefined;
  readonly wrong?: string | undefined;
}

function Place({ label, name, value, remark, wrong }: PlaceProps) {
  return (
    <Fact label={label}>
      {value === '' ? (
        <Anchor component="button" type="button" size="sm" onClick={() => showParameter(name)}>
          Choose
        </Anchor>
      ) : (
        <PathText path={value} />
      )}
      {remark !== undefined && <small>{remark}</small>}
      {wrong !== undefined && (
        <small className="bad">
          {wrong}{' '}
          <Anchor component="button" type="button" inherit onClick={() => showParameter(name)}>
            Change it
          </Anchor>
        </small>
      )}
    </Fact>
  );
}

/** What will train, as the bridge chooses it. */
function DeviceFact({ config }: { readonly config: TrainConfig }) {
  const devices = useHardware((answer) => answer.value?.devices);
  useEffect(askHardware, []);
  const used = devices === undefined ? [] : devicesInUse(config, devices);
  const memory = used[0]?.memoryBytes ?? null;
  return (
    <Fact label="Device">
      {devices === undefined ? 'Looking…' : namesOf(used)}
      {memory !== null && <small>{formatBytes(memory)}</small>}
      {describeProcesses(config) !== '' && <small>{describeProcesses(config)}</small>}
      {used[0]?.kind === 'cpu' && (
        <small className="attention">
          No CUDA GPU was found: the processor trains, which is slow at full size.
        </small>
      )}
    </Fact>
  );
}

/** Joined for the eye only; the bridge makes the real path. */
const outputFile = ({ output_dir, output_name }: TrainConfig): string => {
  if (output_dir === '') return '';
  const separator = output_dir.includes('\\') ? '\\' : '/';
  return `${output_dir.replace(/[\\/]+$/u, '')}${separator}${output_name}.safetensors`;
};

export function WhereThingsAre() {
  const { config } = useChecked();
  const identity = modelIdentity.useAnswer();
  const wrongModel = identity.value?.problem ?? identity.problem;
  return (
    <Section title="Where things are">
      <dl className="facts">
        <Place
          label="Base model"
          name="pretrained_model_name_or_path"
          value={config.pretrained_model_name_or_path}
          remark={
            identity.value !== null && wrongModel === null
              ? describeIdentity(identity.value)
              : undefined
          }
          wrong={wrongModel?.message}
        />
        <Place label="Images" name="train_data_dir" value={config.train_data_dir} />
        {config.reg_data_dir !== '' && (
          <Place label="Regularisation" name="reg_data_dir" value={config.reg_data_dir} />
        )}
        <Place label="LoRA file" name="output_dir" value={outputFile(config)} />
        <Place label="Log" name="logging_dir" value={config.logging_dir} />
        <DeviceFact config={config} />
      </dl>
    </Section>
  );
}
