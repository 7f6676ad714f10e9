import { ActionIcon, Select, Slider, TextInput, Tooltip } from '@mantine/core';
import { IconSearch, IconSortAscending, IconSortDescending } from '@tabler/icons-react';
import { kindLabels, kinds, orderLabels, orders, type Arrangement } from './arrange';
import { tileSizes, usePhotos } from './store';

interface GridToolbarProps {
  readonly arrangement: Arrangement;
  readonly onArrange: (change: Partial<Arrangement>) => void;
}

/** Which pictures are shown, in which order and how large. */
export function GridToolbar({ arrangement, onArrange }: GridToolbarProps) {
  const tileSize = usePhotos((state) => state.tileSize);
  const { order, descending, kind, search } = arrangement;
  const direction = descending ? 'Descending' : 'Ascending';
  return (
    <div className="grid-toolbar" role="group" aria-label="Arrange images">
      <TextInput
        className="grid-search"
        size="xs"
        aria-label="Search images"
        placeholder="Name or caption"
        leftSection={<IconSearch size={14} aria-hidden />}
        value={search}
        onChange={(event) => onArrange({ search: event.currentTarget.value })}
      />
      <Select
        className="grid-choice"
        size="xs"
        aria-label="Show"
        allowDeselect={false}
        data={kinds.map((value) => ({ value, label: kindLabels[value] }))}
        value={kind}
        onChange={(value) => onArrange({ kind: value ?? 'all' })}
      />
      <Select
        className="grid-choice"
        size="xs"
        aria-label="Sort by"
        allowDeselect={false}
        data={orders.map((value) => ({ value, label: orderLabels[value] }))}
        value={order}
        onChange={(value) => onArrange({ order: value ?? 'name' })}
      />
      <Tooltip label={direction}>
        <ActionIcon
          variant="default"
          size={30}
          aria-label={`${direction}: turn round`}
          onClick={() => onArrange({ descending: !descending })}
        >
          {descending ? <IconSortDescending size={16} /> : <IconSortAscending size={16} />}
        </ActionIcon>
      </Tooltip>
      <Slider
        className="grid-size"
        size="sm"
        label={null}
        thumbLabel="Size of the images"
        min={tileSizes[0]}
        max={tileSizes[1]}
        step={4}
        value={tileSize}
        onChange={(value) => usePhotos.setState({ tileSize: value })}
      />
    </div>
  );
}
