import { integer, text } from './rows';
import { either, isAbove } from './rules';

/** Training on several GPUs and machines: each process takes its share of every batch. */
export const processParameters = {
  num_processes: integer({
    label: 'Number of processes',
    group: 'Advanced',
    words: 'multi GPU',
    help: 'How many GPUs of this machine train together. Each takes Train batch size pictures of every step.',
    default: 1,
    min: 1,
    max: 64,
  }),
  gpu_ids: text({
    label: 'GPU IDs',
    group: 'Advanced',
    help: 'Which GPUs, as numbers with commas, such as 0,2. Empty takes the first ones.',
    default: '',
    pattern: /^\s*(\d{1,3}(\s*,\s*\d{1,3})*)?\s*$/u,
    patternHelp: 'GPU IDs must be numbers with commas, like 0,2.',
  }),
  num_machines: integer({
    label: 'Number of machines',
    group: 'Advanced',
    help: 'How many machines train together. The run is started on each, with the same settings but for Machine rank.',
    default: 1,
    min: 1,
    max: 256,
  }),
  machine_rank: integer({
    label: 'Machine rank',
    group: 'Advanced',
    appliesWhen: [isAbove('num_machines', 1)],
    help: 'Which of the machines this is, counted from 0. The first one saves.',
    default: 0,
    min: 0,
    max: 255,
  }),
  main_process_ip: text({
    label: 'Main process IP',
    group: 'Advanced',
    appliesWhen: [isAbove('num_machines', 1)],
    help: 'Address of the first machine in your network, such as 192.168.0.10, where there are several.',
    default: '',
  }),
  main_process_port: integer({
    label: 'Main process port',
    group: 'Advanced',
    appliesWhen: [either(isAbove('num_processes', 1), isAbove('num_machines', 1))],
    help: 'Port at which the processes meet. 0 takes a free one, or 29500 where there are several machines.',
    default: 0,
    min: 0,
    max: 65535,
  }),
  ddp_timeout: integer({
    label: 'DDP timeout',
    group: 'Advanced',
    appliesWhen: [either(isAbove('num_processes', 1), isAbove('num_machines', 1))],
    help: 'How long the processes wait for one another before the run is given up.',
    default: 30,
    min: 1,
    max: 10000,
    unit: 'min',
  }),
} as const;
