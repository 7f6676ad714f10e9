import { expect, test } from 'vitest';
import { requireDiskSpace } from '../../../build/setup/disk.mjs';
import { explain, SetupFailure } from '../../../build/setup/failure.mjs';

const unreachable = [
  "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<HTTPSConnection>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/torch/\nERROR: No matching distribution found for torch==2.13.0",
  "Retrying after connection broken by 'NameResolutionError(...Temporary failure in name resolution)'",
  'npm error code ECONNREFUSED\nnpm error syscall connect',
  'npm error code ENOTFOUND\nnpm error network request failed, reason: getaddrinfo ENOTFOUND',
  "E: Failed to fetch  Temporary failure resolving 'packages.example'",
];

test.each(unreachable)('no network is told from what a program printed: %s', (output) => {
  expect(explain('install things', output)).toMatchObject({
    message: 'The network could not be reached during: install things.',
    hint: expect.stringMatching(/^Check the connection .* run the command again/u),
  });
});

test.each(['OSError: [Errno 28] No space left on device', 'npm error code ENOSPC'])(
  'a full disk is told: %s',
  (output) => {
    expect(explain('install things', output).message).toBe(
      'The disk became full during: install things.',
    );
  },
);

test('a folder that may not be written is told', () => {
  const output = "PermissionError: [Errno 13] Permission denied: '/x/.venv'";
  expect(explain('make the Python environment', output).message).toMatch(/may not be written/u);
});

test('of anything else, the lines that name the error are shown', () => {
  const noise = Array.from({ length: 30 }, (_, index) => `line ${String(index)}`);
  const output = [...noise, 'ERROR: torch is not a fruit', ...noise].join('\n');
  const failure = explain('install things', output);
  expect(failure.message).toBe('This step failed: install things.');
  expect(failure.hint).toBe('It said:\nERROR: torch is not a fruit');
});

test('too small a disk is refused before anything is downloaded, with folder, needed and free', () => {
  expect(() => requireDiskSpace('/some/folder', 6e9, 1.25e9)).toThrow(
    new SetupFailure(
      'Set-up needs 6.0 GB in /some/folder, and 1.3 GB are free.',
      expect.anything(),
    ),
  );
  expect(() => requireDiskSpace('/some/folder', 6e9, 6e9)).not.toThrow();
});
