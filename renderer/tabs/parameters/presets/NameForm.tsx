import { Button, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { isSameName, presetNameSchema } from '../../../../shared/preset-values';
import { attempt } from '../../../app/notify';

interface NameFormProps {
  readonly initial: string;
  /** Names that other presets have. */
  readonly taken: readonly string[];
  /** Whether one of these may be used, in place of the other preset. */
  readonly replaces: boolean;
  readonly action: string;
  readonly unavailable?: boolean;
  readonly onName: (name: string) => Promise<unknown>;
  readonly onCancel: () => void;
  readonly children?: ReactNode;
}

/** Asks what a preset is to be called. */
export function NameForm(props: NameFormProps) {
  const { initial, taken, replaces, action, unavailable = false, onName, onCancel } = props;
  const [typed, setTyped] = useState(initial);
  const [busy, setBusy] = useState(false);
  const parsed = presetNameSchema.safeParse(typed);
  const clash = taken.find((name) => isSameName(name, typed));
  const refused = clash !== undefined && !replaces;
  const issue = typed === '' ? undefined : parsed.error?.issues[0]?.message;
  const usable = parsed.success && !refused && !unavailable;

  const submit = () => {
    if (!usable) return;
    setBusy(true);
    attempt(() => onName(parsed.data).finally(() => setBusy(false)));
  };
  return (
    <form
      className="preset-form"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {props.children}
      <TextInput
        label="Name"
        autoFocus
        data-autofocus
        value={typed}
        spellCheck={false}
        error={issue ?? (refused ? 'Another of your presets has this name.' : null)}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <div className="preset-foot">
        <span className="preset-status" role="status">
          {clash !== undefined && replaces && `Takes the place of your preset ${clash}.`}
        </span>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" disabled={!usable} loading={busy}>
          {clash !== undefined && replaces ? 'Replace' : action}
        </Button>
      </div>
    </form>
  );
}
