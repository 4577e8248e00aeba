/** What is said before a state while the one after the last change is made. */
export const BEFORE = "Before the last change: ";

/** The words of the field that a pane uses, each in a plain sentence. */
export function Words({ words }: { words: Record<string, string> | undefined }) {
  const known = Object.entries(words ?? {});
  if (!known.length) return null;
  return (
    <details>
      <summary title="what the words of this pane mean">Words: {known.map(([word]) => word).join(", ")}</summary>
      <div>
        {known.map(([word, text]) => (
          <div>
            <b>{word}</b>: {text}
          </div>
        ))}
      </div>
    </details>
  );
}
