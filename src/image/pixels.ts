// A decoded picture.

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, from left to right and from above: (height, width, 3). */
  readonly rgb: Uint8Array;
}

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}
