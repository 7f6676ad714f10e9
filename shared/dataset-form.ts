import { z } from 'zod';

/** The form of the Dataset Preparation tab. Kept as typed, so it may hold what is not valid yet. */

export const conceptSchema = z.strictObject({
  instancePrompt: z.string(),
  classPrompt: z.string(),
  /** Folders of pictures. The first is the one that is typed; an empty one counts as none. */
  folders: z.array(z.string()),
  /** Single pictures beside them. */
  files: z.array(z.string()),
  repeats: z.number().nullable(),
  regularizationFolder: z.string(),
  regularizationRepeats: z.number().nullable(),
});
export type ConceptForm = z.infer<typeof conceptSchema>;

/** How pictures come into the prepared folders. Captions are always copied: they are edited there. */
export const transfers = ['copy', 'link'] as const;
export type Transfer = (typeof transfers)[number];

export const datasetFormSchema = z.strictObject({
  concepts: z.array(conceptSchema).min(1),
  destination: z.string(),
  transfer: z.enum(transfers),
});
export type DatasetForm = z.infer<typeof datasetFormSchema>;

/** What the fields are called on the screen, and so in every message about them. */
export const datasetLabels = {
  instancePrompt: 'Instance prompt',
  classPrompt: 'Class prompt',
  folders: 'Training images folder',
  repeats: 'Repeats',
  regularizationFolder: 'Regularisation images folder',
  regularizationRepeats: 'Repeats (reg)',
  destination: 'Destination training directory',
} as const;
export type DatasetField = keyof typeof datasetLabels;
export const datasetFields = Object.keys(datasetLabels) as DatasetField[];

export const emptyConcept: ConceptForm = {
  instancePrompt: '',
  classPrompt: '',
  folders: [],
  files: [],
  repeats: 20,
  regularizationFolder: '',
  regularizationRepeats: 1,
};

export const emptyDataset: DatasetForm = {
  concepts: [emptyConcept],
  destination: '',
  transfer: 'copy',
};

/** The folders of a concept that are filled in, each once. */
export const foldersOf = ({ folders }: ConceptForm): string[] => [
  ...new Set(folders.filter((folder) => folder !== '')),
];

export const hasSources = (concept: ConceptForm): boolean =>
  foldersOf(concept).length + concept.files.length > 0;
