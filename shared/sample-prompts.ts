/**
 * The prompts in the text of `sample_prompts`, flags included: its lines without blank ones and comments. What the
 * flags mean is the bridge's to say.
 */
export const samplePromptLines = (text: string): readonly string[] =>
  text
    .split(/\r?\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
