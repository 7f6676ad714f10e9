import {
  parameters,
  type Parameter,
  type ParameterKey,
  type TrainConfig,
} from '../../../shared/parameters';

/**
 * Whether a field says anything for the LoRA type that is chosen. One that is not at its default is shown all the same:
 * nothing that was set is out of sight.
 */
export function isShown(key: ParameterKey, config: TrainConfig): boolean {
  const parameter: Parameter = parameters[key];
  if (!('shownFor' in parameter)) return true;
  return parameter.shownFor.includes(config.lora_type) || config[key] !== parameter.default;
}
