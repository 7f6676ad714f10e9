import { expect, test } from 'vitest';
import {
  illegalCharacter,
  joinPrompts,
  makeFolderName,
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
  ['a/b', '/'],
  ['a\\b', '\\'],
  ['what?', '?'],
  ['tab\there', '\t'],
  ['dot.', '.'],
  ['dot. ', '.'],
])('%j must not be a folder’s name', (prompt, character) => {
  expect(illegalCharacter(prompt)).toBe(character);
});

test.each(['rihanna', 'Zoë 2.0', '猫', "l'amie"])('%s may', (prompt) => {
  expect(illegalCharacter(prompt)).toBeNull();
});
