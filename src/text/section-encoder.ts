// What a vocabulary kind has to do: turn a normalised section of text into ids.

export interface SectionEncoder {
  /** Appends the ids of text[start, end). */
  encode(text: string, start: number, end: number, into: number[]): void;
}
