import { Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { Fragment, type ReactNode } from 'react';
import type { Problem } from '../../shared/result';

/** Small parts that every tab is put together from. */

interface SectionProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

export function Section({ title, aside, children }: SectionProps) {
  return (
    <section className="section" aria-label={title}>
      <header className="section-head">
        <Title order={2} className="section-title">
          {title}
        </Title>
        {aside}
      </header>
      {children}
    </section>
  );
}

interface NoteProps {
  readonly problem: Problem;
  readonly tone: 'error' | 'warning' | 'info';
  readonly action?: ReactNode;
}

/** A problem, said once: the sentence, what to do, and perhaps a button that does it. */
export function Note({ problem, tone, action }: NoteProps) {
  const Icon = tone === 'info' ? IconInfoCircle : IconAlertTriangle;
  return (
    <div className="note" data-tone={tone} role={tone === 'error' ? 'alert' : undefined}>
      <Icon size={18} aria-hidden className="note-icon" />
      <div className="note-body">
        <Text size="sm" className="wrap">
          {problem.message}
        </Text>
        {problem.hint && (
          <Text size="sm" c="dimmed" className="wrap">
            {problem.hint}
          </Text>
        )}
        {action}
      </div>
    </div>
  );
}

interface EmptyProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className="empty">
      <div className="empty-icon" aria-hidden>
        {icon}
      </div>
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="dimmed" component="div" maw={380}>
        {children}
      </Text>
    </div>
  );
}

interface StatProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly detail?: ReactNode;
}

export function Stat({ label, value, detail }: StatProps) {
  return (
    <div className="stat">
      <dt>{label}</dt>
      <dd>
        {value}
        {detail && <small>{detail}</small>}
      </dd>
    </div>
  );
}

interface FactProps {
  readonly label: string;
  readonly children: ReactNode;
}

/** One line of a list of facts: what it is, and its value. */
export function Fact({ label, children }: FactProps) {
  return (
    <div className="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A path that breaks where a reader would break it. */
export function PathText({ path }: { readonly path: string }) {
  return path.split(/(?<=[\\/_.-])/u).map((part, index) => (
    // The parts of one path never change places.
    <Fragment key={index}>
      <wbr />
      {part}
    </Fragment>
  ));
}

interface MeterProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
}

/** A progress bar. With `max` 0 the end is not known and it only shows that something happens. */
export function Meter({ label, value, max }: MeterProps) {
  const share = max > 0 ? Math.min(value / max, 1) : null;
  return (
    <div
      className="meter"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      data-unknown={share === null || undefined}
    >
      <div className="meter-bar" style={share === null ? {} : { transform: `scaleX(${share})` }} />
    </div>
  );
}
