/** In the place of a folder's pictures until they are there. */
export function ReadingFolder() {
  return (
    <div className="photo-wait" role="status">
      Reading the folder…
    </div>
  );
}
