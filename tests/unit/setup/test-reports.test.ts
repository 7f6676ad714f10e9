import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  countReport,
  readJunit,
  readPlaywright,
  readQuality,
  readVitest,
} from '../../../build/setup/test-reports.mjs';
import { tempFolder } from '../../fakes/temp-folder';

const vitest = JSON.stringify({
  testResults: [
    { assertionResults: [{ status: 'passed', fullName: 'a' }] },
    {
      assertionResults: [
        { status: 'failed', fullName: 'b' },
        { status: 'skipped', fullName: 'c' },
        { status: 'todo', fullName: 'd' },
      ],
    },
  ],
});
const junit = `<testsuites><testsuite tests="4">
  <testcase classname="t" name="a" time="1" />
  <testcase classname="t" name="b"><failure message="no">trace</failure></testcase>
  <testcase classname="t" name="c"><error message="no">trace</error></testcase>
  <testcase classname="t" name="d"><skipped type="pytest.skip" message="why">w</skipped></testcase>
</testsuite></testsuites>`;
const quality = JSON.stringify({
  checks: [{ passed: true }, { passed: false }, { passed: true }],
  overfitting: [],
});
const playwright = JSON.stringify({
  stats: { expected: 2, unexpected: 1, flaky: 1, skipped: 1 },
  errors: [],
  suites: [
    {
      specs: [{ title: 'a', tests: [{ status: 'expected' }] }],
      suites: [{ specs: [{ title: 'b', tests: [{ status: 'skipped' }] }] }],
    },
  ],
});

test('each report is read into passed, failed and the names of what was skipped', () => {
  expect(readVitest(vitest)).toEqual({ passed: 1, failed: 1, skipped: ['c', 'd'] });
  expect(readJunit(junit)).toEqual({ passed: 1, failed: 2, skipped: ['d'] });
  expect(readPlaywright(playwright)).toEqual({ passed: 2, failed: 2, skipped: ['b'] });
  expect(readQuality(quality)).toEqual({ passed: 2, failed: 1, skipped: [] });
});

async function counted(content: string | null, exitCode: number) {
  const file = join(await tempFolder(), 'report.json');
  if (content !== null) await writeFile(file, content);
  return countReport(file, readVitest, exitCode);
}

test('a suite that ran nothing, left no report or crashed beside its tests has failed', async () => {
  const nothing = JSON.stringify({ testResults: [] });
  const good = JSON.stringify({
    testResults: [{ assertionResults: [{ status: 'passed', fullName: 'a' }] }],
  });
  expect(await counted(nothing, 0)).toMatchObject({ passed: 0, failed: 1 });
  expect(await counted(null, 0)).toMatchObject({ passed: 0, failed: 1 });
  expect(await counted(good, 1)).toMatchObject({ passed: 1, failed: 1 });
  expect(await counted(good, 0)).toMatchObject({ passed: 1, failed: 0 });
  expect(await counted(vitest, 1)).toMatchObject({ passed: 1, failed: 1 });
});
