import { useEffect, useState } from 'react';

/** Counts how often the window got the focus back: files may have changed in the meantime. */
export function useWindowFocus(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const focused = () => setCount((before) => before + 1);
    window.addEventListener('focus', focused);
    return () => window.removeEventListener('focus', focused);
  }, []);
  return count;
}
