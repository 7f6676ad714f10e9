import { IconPhotoOff } from '@tabler/icons-react';
import type { Problem } from '../../shared/result';
import { Empty } from './bits';

/** In the place of a folder's pictures when it cannot be read. */
export function UnusableFolder({ problem }: { readonly problem: Problem }) {
  return (
    <Empty icon={<IconPhotoOff size={40} stroke={1.25} />} title={problem.message}>
      {problem.hint}
    </Empty>
  );
}
