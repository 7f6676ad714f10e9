import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { call, problemOf } from '../../api';
import { appendConsole, consoleText } from './console-text';

const POLL_MS = 1000;
/** Nearer to the end than this counts as being at the end. */
const NEAR_END_PX = 24;

/** Follows a job's console for as long as it is on the screen. */
function useConsole(jobId: string, over: boolean) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const offset = useRef(0);

  useEffect(() => {
    let timer: number | undefined;
    let gone = false;

    async function read(): Promise<void> {
      let more = false;
      try {
        const { text, nextOffset } = await call('jobs:console', { jobId, offset: offset.current });
        if (gone) return;
        more = text !== '';
        offset.current = nextOffset;
        setLines((before) => appendConsole(before, text));
        setProblem(null);
      } catch (thrown) {
        if (gone) return;
        setProblem(problemOf(thrown).message);
      }
      if (more || !over) timer = window.setTimeout(() => void read(), more ? 0 : POLL_MS);
    }

    void read();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [jobId, over]);

  return { text: consoleText(lines), problem };
}

interface ConsolePanelProps {
  readonly jobId: string;
  readonly over: boolean;
}

export function ConsolePanel({ jobId, over }: ConsolePanelProps) {
  const { text, problem } = useConsole(jobId, over);
  const scroller = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [text]);

  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  };

  return (
    <section className="panel console-panel" aria-label="Console">
      <header className="panel-head">
        <h3 className="panel-title">Console</h3>
        {problem && <span className="bad">{problem}</span>}
      </header>
      <pre
        ref={scroller}
        className="console"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Console output"
        onScroll={onScroll}
      >
        {text === '' ? 'Nothing was printed yet.' : text}
      </pre>
    </section>
  );
}
