import { marks } from './search';

interface MarkedProps {
  readonly text: string;
  /** What is searched for. */
  readonly words: readonly string[];
}

export function Marked({ text, words }: MarkedProps) {
  if (words.length === 0) return text;
  return marks(text, words).map((piece, index) =>
    // The pieces of one text never change places.
    piece.hit ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>,
  );
}
