// What the test runners' own reports say.
import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {{ passed: number, failed: number, skipped: string[] }} Count
 */

/**
 * The count of a report; a runner that left none, or ran nothing, or crashed beside its tests, has failed.
 * @param {string} file
 * @param {(text: string) => Count} read
 * @param {number} exitCode
 * @returns {Count}
 */
export function countReport(file, read, exitCode) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : null;
  const count = text === null ? { passed: 0, failed: 0, skipped: [] } : read(text);
  const brokeElsewhere = exitCode !== 0 || count.passed + count.failed === 0;
  return count.failed === 0 && brokeElsewhere ? { ...count, failed: 1 } : count;
}

export function readVitest(text) {
  const report = JSON.parse(text);
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const of = (...states) => tests.filter(({ status }) => states.includes(status));
  return {
    passed: of('passed').length,
    failed: of('failed').length,
    skipped: of('skipped', 'pending', 'todo', 'disabled').map((test) => test.fullName),
  };
}

/** JUnit, as pytest writes it. */
export function readJunit(text) {
  const cases = text.split('<testcase ').slice(1);
  const failed = cases.filter((test) => /<(failure|error)[ >]/u.test(test));
  const skipped = cases.filter((test) => /<skipped[ />]/u.test(test));
  return {
    passed: cases.length - failed.length - skipped.length,
    failed: failed.length,
    skipped: skipped.map((test) => /\bname="([^"]*)"/u.exec(test)?.[1] ?? 'unnamed'),
  };
}

export function readPlaywright(text) {
  const report = JSON.parse(text);
  const specsOf = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specsOf)];
  const skipped = report.suites
    .flatMap(specsOf)
    .filter(({ tests }) => tests.every(({ status }) => status === 'skipped'));
  const { expected, unexpected, flaky } = report.stats;
  return {
    passed: expected,
    failed: unexpected + flaky + report.errors.length,
    skipped: skipped.map(({ title }) => title),
  };
}

/** The figures of `build/tiny-world/quality.py`. */
export function readQuality(text) {
  const { checks } = JSON.parse(text);
  const failed = checks.filter(({ passed }) => !passed).length;
  return { passed: checks.length - failed, failed, skipped: [] };
}
