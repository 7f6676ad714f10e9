import { Accordion, Button, Group, Modal, Text } from '@mantine/core';
import type { OpenedConfig } from '../../../../shared/contract';
import { partsOf, type Part } from './report';

interface ConfigReportProps {
  /** Null while there is nothing to ask about. */
  readonly opened: OpenedConfig | null;
  readonly onUse: (opened: OpenedConfig) => void;
  readonly onLeave: () => void;
}

function PartItem({ kind, title, about, lines }: Part) {
  return (
    <Accordion.Item value={kind}>
      <Accordion.Control>
        <span className="report-head">
          <span>{title}</span>
          <span className="report-count">{lines.length}</span>
        </span>
      </Accordion.Control>
      <Accordion.Panel>
        <Text size="sm" c="dimmed" mb={8}>
          {about}
        </Text>
        <dl className="report-lines">
          {lines.map(({ name, text }) => (
            <div key={`${name} ${text}`}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Report({ opened, onUse, onLeave }: ConfigReportProps & { readonly opened: OpenedConfig }) {
  const parts = partsOf(opened);
  // What was not taken as it is wants to be read; the rest is there to be looked up.
  const read = parts.filter(({ kind }) => kind !== 'taken' && kind !== 'defaulted');
  return (
    <>
      <Text size="sm" mb={12}>
        {read.length === 0
          ? 'All that the file says was understood.'
          : 'Not all is taken as the file has it.'}{' '}
        Using it replaces every parameter on this tab.
      </Text>
      <ul className="report-counts">
        {parts.map(({ kind, title, lines }) => (
          <li key={kind} data-kind={kind}>
            {lines.length} {title.toLowerCase()}
          </li>
        ))}
      </ul>
      <div className="report-parts">
        <Accordion multiple variant="separated" defaultValue={read.map(({ kind }) => kind)}>
          {parts.map((part) => (
            <PartItem key={part.kind} {...part} />
          ))}
        </Accordion>
      </div>
      <Group justify="flex-end" className="report-foot">
        <Button variant="default" onClick={onLeave}>
          Leave things as they are
        </Button>
        <Button data-autofocus onClick={() => onUse(opened)}>
          Use it
        </Button>
      </Group>
    </>
  );
}

/** What a file says, before anything is done with it. */
export function ConfigReport(props: ConfigReportProps) {
  const { opened, onLeave } = props;
  return (
    <Modal.Root opened={opened !== null} onClose={onLeave} size="lg">
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className="report">
          {/* Not Modal.Header: the window has a header already, and landmarks are to be told apart. */}
          <div className="report-title">
            <Modal.Title>{opened?.name}</Modal.Title>
            <Modal.CloseButton aria-label="Leave things as they are" />
          </div>
          {opened !== null && <Report {...props} opened={opened} />}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
