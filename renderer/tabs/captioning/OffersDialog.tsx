import { Button, Modal, Stack, Text } from '@mantine/core';
import { thumbnailUrl } from '../../api';
import { attempt } from '../../app/notify';
import { forgetOffer, takeOffer, useCaptioning } from './store';

/** Captions to choose from, of one picture after the other. Closing it keeps the caption that is there. */
export function OffersDialog() {
  const offers = useCaptioning((state) => state.offers);
  const image = useCaptioning((state) =>
    state.images.find(({ path }) => state.offers[path] !== undefined),
  );
  if (image === undefined) return null;
  const close = () => forgetOffer(image.path);
  return (
    <Modal opened onClose={close} title={`Candidates for ${image.name}`} size="lg" centered>
      <div className="offers">
        <img src={thumbnailUrl(image.id)} alt="" draggable={false} />
        <Stack gap="sm" className="offers-list">
          {offers[image.path]?.map((text) => (
            <div key={text} className="offer">
              <Text size="sm" className="wrap">
                {text}
              </Text>
              <Button
                size="compact-sm"
                variant="light"
                aria-label={`Use ${text}`}
                onClick={() => attempt(() => takeOffer(image.path, text))}
              >
                Use
              </Button>
            </div>
          ))}
          <Button variant="default" onClick={close}>
            Keep what is there
          </Button>
        </Stack>
      </div>
    </Modal>
  );
}
