// What a vocabulary kind has to do: turn a normalised section of text into ids.

export interface SectionEncoder {
  /** Appends the ids of text[start, end). The text is well-formed UTF-16, the range cuts no pair of surrogates. */
  encode(text: string, start: number, end: number, into: number[]): void;
}
