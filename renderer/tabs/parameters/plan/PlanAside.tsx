import { ActionIcon, Drawer, Loader, Tooltip } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconLayoutSidebarRightCollapse,
  IconLayoutSidebarRightExpand,
} from '@tabler/icons-react';
import { useApp } from '../../../app/store';
import { formatQuantity } from '../../../format';
import { runPlan } from '../store';
import { PlanPanel } from './PlanPanel';

/** Beside narrower windows' parameters there is no room for it. */
const WIDE = '(min-width: 1280px)';

const fold = (planFolded: boolean): void => useApp.setState({ planFolded });

function Busy() {
  const pending = runPlan.useAnswer((answer) => answer.pending);
  return pending && <Loader size={14} role="img" aria-label="Working it out" />;
}

function Mark() {
  const { value, problem } = runPlan.useAnswer();
  if (problem === null && (value === null || value.warnings.length === 0)) return null;
  const words =
    problem === null ? formatQuantity(value?.warnings.length ?? 0, 'warning') : problem.message;
  return (
    <span className="plan-strip-mark" data-tone={problem === null ? 'warning' : 'error'}>
      <IconAlertTriangle size={18} role="img" aria-label={words} />
    </span>
  );
}

/** All that is left of it while it is folded: it opens it. */
function Strip({ onOpen }: { readonly onOpen: () => void }) {
  const plan = runPlan.useAnswer((answer) => answer.value);
  return (
    <button type="button" className="plan-strip" aria-label="Show the plan" onClick={onOpen}>
      <IconLayoutSidebarRightExpand size={20} aria-hidden />
      <Mark />
      <span className="plan-strip-words">
        <strong>Plan</strong>
        {plan !== null && ` · ${formatQuantity(plan.totalSteps, 'step')}`}
      </span>
    </button>
  );
}

/** The plan beside the parameters; in narrow windows, or when it is folded, a strip that opens it. */
export function PlanAside() {
  const isWide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false });
  const folded = useApp((app) => app.planFolded);
  const [drawer, { open, close }] = useDisclosure(false);
  if (isWide && !folded)
    return (
      <aside className="plan-side" aria-label="Plan">
        <header className="plan-side-head">
          <h2 className="section-title">What will happen</h2>
          <Busy />
          <Tooltip label="Fold the plan">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label="Fold the plan"
              className="push-right"
              onClick={() => fold(true)}
            >
              <IconLayoutSidebarRightCollapse size={20} />
            </ActionIcon>
          </Tooltip>
        </header>
        <div className="plan-side-body" tabIndex={0} role="group" aria-label="Figures">
          <PlanPanel />
        </div>
      </aside>
    );
  return (
    <>
      <Strip onOpen={isWide ? () => fold(false) : open} />
      <Drawer.Root
        opened={drawer && !isWide}
        onClose={close}
        position="right"
        size={420}
        lockScroll={false}
      >
        <Drawer.Overlay />
        <Drawer.Content>
          <Drawer.Body>
            <div className="dialog-head">
              <Drawer.Title className="main-title">What will happen</Drawer.Title>
              <Busy />
              <Drawer.CloseButton aria-label="Close" />
            </div>
            <PlanPanel />
          </Drawer.Body>
        </Drawer.Content>
      </Drawer.Root>
    </>
  );
}
