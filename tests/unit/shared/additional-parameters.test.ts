import { expect, test } from 'vitest';
import { additionalParameters } from '../../../shared/kohya/additional-parameters';
import { importKohyaJson } from '../../../shared/kohya/import-json';

test.each([
  ['', {}],
  ['--max_grad_norm=0', { max_grad_norm: '0' }],
  ['--max_grad_norm 0', { max_grad_norm: '0' }],
  ['--zero_terminal_snr --seed 7', { zero_terminal_snr: true, seed: '7' }],
  [
    '--lr_scheduler_args "T_max=1000" "eta_min=0e-0"',
    { lr_scheduler_args: 'T_max=1000 eta_min=0e-0' },
  ],
  ["--caption_prefix 'a photo of,'", { caption_prefix: 'a photo of,' }],
  [String.raw`--caption_prefix "say \"cheese\""`, { caption_prefix: 'say "cheese"' }],
  ['--resolution 768,1024', { max_resolution: '768,1024' }],
  ['--network_train_unet_only', { network_train_unet_only: true }],
  ['--text_encoder_lr 1e-5 2e-5', { text_encoder_lr: '1e-5 2e-5' }],
  [
    '--network_args "conv_dim=4" preset=attn-mlp constraint=0.5',
    { conv_dim: '4', LyCORIS_preset: 'attn-mlp', constrain: '0.5' },
  ],
  ['--log_prefix=xl-loha', {}],
])('%s', (text, raw) => {
  expect(additionalParameters(text)).toEqual({ raw, unsupported: [] });
});

test.each([
  ['--full_fp16', 'full_fp16', 'lost in LoRA weights of fp16'],
  ['--no_such_option 1', 'no_such_option', 'no such option'],
  ['--network_args who=me', 'who', 'not known'],
])('%s has no effect, and that is said', (text, key, why) => {
  const { raw, unsupported } = additionalParameters(text);
  expect(raw).toEqual({});
  expect(unsupported.map(([name]) => name)).toEqual([key]);
  expect(unsupported[0]?.[1]).toContain(why);
});

test('they win over the fields, as on a command line', () => {
  const { config } = importKohyaJson(
    JSON.stringify({ max_grad_norm: 1, additional_parameters: '--max_grad_norm=0 --seed 3' }),
  );
  expect(config).toMatchObject({ max_grad_norm: 0, seed: 3 });
});
