// The rope scalings that a model may be loaded with, for who reads them from words.
export { type RopeChoice, ropeChoices } from "../models/rope-override.ts";
