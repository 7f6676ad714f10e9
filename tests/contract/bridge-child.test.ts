import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { locate } from '../../electron/lib/locations';

test('a child gets what Python needs and nothing that would turn it into something else', () => {
  const { bridgeEnvironment, bridgeCommand } = locate('/app', {
    PATH: '/bin',
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: '--inspect',
    PYTHONPATH: '/mine',
  });
  expect(bridgeEnvironment).toMatchObject({
    PATH: '/bin',
    PYTHONUTF8: '1',
    PYTHONUNBUFFERED: '1',
    ATELIER_DATA_DIR: '/app/.atelier',
  });
  expect(bridgeEnvironment['PYTHONPATH']).toMatch(/^\/app\/python-bridge.\/mine$/u);
  expect(bridgeEnvironment).not.toHaveProperty('ELECTRON_RUN_AS_NODE');
  expect(bridgeEnvironment).not.toHaveProperty('NODE_OPTIONS');
  expect(bridgeCommand.slice(1)).toEqual(['-m', 'lora_bridge']);
});

test('its command and folder can be set', () => {
  const { bridgeCommand, dataFolder } = locate('/app', {
    ATELIER_BRIDGE_COMMAND: '["py", "fake.py"]',
    ATELIER_DATA_DIR: '/data',
  });
  expect(bridgeCommand).toEqual(['py', 'fake.py']);
  expect(dataFolder).toBe('/data');
  expect(locate('/app', { ATELIER_PYTHON: '/py' }).bridgeCommand[0]).toBe('/py');
});

test('the scripted bridge needs nothing but the standard library', async () => {
  const source = await readFile(new URL('../fakes/bridge.py', import.meta.url), 'utf8');
  const imported = [...source.matchAll(/^(?:import|from) (\w+)/gmu)].map(([, name]) => name);
  expect(imported.sort()).toEqual(['json', 'os', 'pathlib', 'signal', 'subprocess', 'sys', 'time']);
});
