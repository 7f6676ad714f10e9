import { expect, test } from 'vitest';
import {
  isSameName,
  joinPrompts,
  makeFolderName,
  mendPrompt,
  parseFolderName,
} from '../../../shared/kohya/folder-name';

test('a folder name is made and read back', () => {
  const folder = { repeats: 20, prompt: joinPrompts(' rihanna ', 'woman') };
  expect(makeFolderName(folder)).toBe('20_rihanna woman');
  expect(parseFolderName('20_rihanna woman')).toEqual(folder);
});

test.each(['rihanna', '_x', '20', '20_', 'x20_y', '-1_x'])('%s is not trained on', (name) => {
  expect(parseFolderName(name)).toBeNull();
});

test.each([
  ['sks/woman', 'sks woman', ['cannot hold /']],
  ['a / b', 'a b', ['cannot hold /']],
  ['a\\b', 'a b', ['cannot hold \\']],
  ['<what?>', 'what', ['cannot hold < ? >']],
  ['tab\there', 'tab here', ['cannot hold control characters']],
  ['dot. .', 'dot', ['cannot end in a dot']],
  ['half \ud800', 'half', ['cannot hold control characters']],
  ['///', '', ['cannot hold /']],
  ['x'.repeat(150), 'x'.repeat(100), ['cannot be so long']],
  ['猫'.repeat(50), '猫'.repeat(33), ['cannot be so long']],
])('%j is mended to %j', (typed, prompt, reasons) => {
  expect(mendPrompt(typed)).toEqual({ prompt, reasons });
});

test.each(['rihanna', 'Zoë 2.0', '猫', "l'amie", 'con', 'two  blanks'])('%s stays', (prompt) => {
  expect(mendPrompt(` ${prompt} `)).toEqual({ prompt, reasons: [] });
});

test('two long prompts and their repeats stay a name that every system takes', () => {
  const prompt = joinPrompts('猫'.repeat(80), '🐈'.repeat(80));
  expect(Buffer.byteLength(makeFolderName({ repeats: 10_000, prompt }))).toBeLessThanOrEqual(255);
});

test('names differ by more than case and composition', () => {
  expect(isSameName('20_Zoe\u0308 Woman', '20_zo\u00eb woman')).toBe(true);
  expect(isSameName('20_zoe woman', '21_zoe woman')).toBe(false);
});
