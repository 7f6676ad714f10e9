import { expect, test } from 'vitest';
import { describeProcesses, devicesInUse, namesOf } from '../../../renderer/tabs/training/devices';
import type { Device } from '../../../shared/protocol';

const gpu = (name: string): Device => ({ kind: 'cuda', name, memoryBytes: 1 });
const gpus = [gpu('4090'), gpu('4090'), gpu('3090')];
const cpu: Device = { kind: 'cpu', name: 'a processor', memoryBytes: null };

test.each([
  ['', 1, '4090'],
  ['', 2, '2 × 4090'],
  ['2', 1, '3090'],
  ['2, 0', 2, '3090, 4090'],
  ['', 5, '2 × 4090, 3090'],
  ['7', 1, ''],
])('GPU IDs %j for %i processes are %j', (gpu_ids, num_processes, names) => {
  expect(namesOf(devicesInUse({ gpu_ids, num_processes }, gpus))).toBe(names);
});

test('without a GPU the processor trains, however many processes there are', () => {
  expect(namesOf(devicesInUse({ gpu_ids: '1', num_processes: 2 }, [cpu]))).toBe('a processor');
});

test.each([
  [{ num_processes: 1, num_machines: 1, machine_rank: 0 }, ''],
  [{ num_processes: 2, num_machines: 1, machine_rank: 0 }, '2 processes'],
  [{ num_processes: 1, num_machines: 3, machine_rank: 1 }, 'machine 2 of 3'],
  [{ num_processes: 4, num_machines: 2, machine_rank: 0 }, '4 processes, machine 1 of 2'],
])('who trains together: %j is %j', (config, text) => {
  expect(describeProcesses(config)).toBe(text);
});
