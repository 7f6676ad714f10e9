import { describe, expect, it } from 'vitest';
import { describeInspection } from '../../../electron/cli/inspect';

const moduleOf = (name: string) => ({ name, rank: 8, alpha: 4, upMax: 0.5, nonFinite: [] });

const inspection = {
  path: '/models/ohwx.safetensors',
  bytes: 1234,
  tensors: 4,
  dtypes: ['float16'],
  modules: [moduleOf('lora_unet_a'), moduleOf('lora_unet_b')],
  parts: { unet: 2, textEncoder1: 0, textEncoder2: 0, other: 0 },
  ranks: [8, 16],
  alphas: [4],
  metadata: { ss_output_name: 'ohwx' },
  nonFiniteTensors: [],
  emptyModules: [],
};

describe('what inspect says of a LoRA', () => {
  it('names what is in it', () => {
    expect(describeInspection(inspection)).toEqual([
      'File: /models/ohwx.safetensors (1234 bytes, float16)',
      'Modules: 2 (4 tensors)',
      '  U-Net 2, text encoder 1 0, text encoder 2 0, other 0',
      'Rank: 8, 16',
      'Alpha: 4',
      'Metadata:',
      '  ss_output_name: ohwx',
    ]);
  });

  it('has no empty lines for kinds without ranks and alphas', () => {
    const said = describeInspection({ ...inspection, ranks: [], alphas: [] });
    expect(said.filter((line) => /^(Rank|Alpha)/.test(line))).toEqual([]);
    expect(said).toHaveLength(5);
  });
});
